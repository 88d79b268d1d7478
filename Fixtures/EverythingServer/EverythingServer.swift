// SPDX-License-Identifier: Apache-2.0

import FixtureKit

@main struct EverythingServer {
    static func main() async {}
}
