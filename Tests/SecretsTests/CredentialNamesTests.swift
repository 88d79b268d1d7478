// SPDX-License-Identifier: Apache-2.0

import Secrets
import Testing

@Suite("CredentialNames")
struct CredentialNamesTests {
    @Test(
        "each of the six words counts, in any case and anywhere",
        arguments: [
            "GITHUB_TOKEN", "apiKey", "client_Secret", "Authorization", "db.PASSWORD", "credentials",
        ])
    func credential(_ name: String) {
        #expect(CredentialNames.isCredential(name))
    }

    @Test("other names are plain configuration", arguments: ["HOME", "LOG_LEVEL", "PASS", "URL", ""])
    func plain(_ name: String) {
        #expect(!CredentialNames.isCredential(name))
    }
}
