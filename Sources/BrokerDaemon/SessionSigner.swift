// SPDX-License-Identifier: Apache-2.0
import BrokerCore
package import Secrets

/// Signs session ids with the process's key.
package struct SessionSigner: SessionSigning {
    private let key: SessionSigningKey

    package init(_ key: SessionSigningKey) { self.key = key }

    package var keyID: [UInt8] { key.keyID }
    package func signature(of bytes: [UInt8]) -> [UInt8] { key.sign(bytes) }
    package func isSignature(_ signature: [UInt8], of bytes: [UInt8]) -> Bool { key.verify(signature, for: bytes) }
}
