// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOSSL

/// How a server's certificate is verified.
package enum TLSVerification: Hashable, Sendable {
    /// Against the certificate authorities of this machine.
    case system
    /// Against those of a PEM file alone.
    case authorities(file: String)
    /// Not at all: whoever is in between can read and change everything.
    case off

    /// The library's settings; an unusable file is told here and not with the first connection.
    func configuration() throws(HTTPTransportError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        switch self {
        case .system: break
        case .off: tls.certificateVerification = .none
        case .authorities(let file):
            guard FileManager.default.isReadableFile(atPath: file) else {
                throw HTTPTransportError(
                    .unusableSettings, "the file '\(file)' cannot be read; name a PEM file of certificates")
            }
            guard let certificates = try? NIOSSLCertificate.fromPEMFile(file), !certificates.isEmpty else {
                throw HTTPTransportError(
                    .unusableSettings, "the file '\(file)' holds no certificate in PEM form; name one that does")
            }
            tls.trustRoots = .certificates(certificates)
        }
        return tls
    }
}
