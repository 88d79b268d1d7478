// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension HTTPTransportError {
    /// Says in Lodge's words what the library says in its own.
    init(_ error: any Error, isConnected: Bool) {
        if let error = error as? HTTPTransportError {
            self = error
            return
        }
        switch error {
        case is CancellationError: self.init(.cancelled, "the request was given up")
        case let error as HTTPClientError: self.init(library: error, isConnected: isConnected)
        case let error as NIOConnectionError: self.init(.unreachable, Self.text(error))
        case let error as NIOSSLExtraError:
            self.init(.unreachable, "the certificate was not accepted: \(error.description)")
        case let error as NIOSSLError: self.init(.unreachable, "the TLS handshake failed: \(error)")
        case let error as IOError:
            let text = error.strippedDescription
            self.init(isConnected ? .broken : .unreachable, isConnected ? "the connection failed: \(text)" : text)
        case is HTTPParserError: self.init(.broken, "the server answered with what is no HTTP")
        default: self.init(isConnected ? .broken : .unreachable, "the connection failed: \(error)")
        }
    }

    private init(library error: HTTPClientError, isConnected: Bool) {
        switch error {
        case .cancelled: self.init(.cancelled, "the request was given up")
        case .connectTimeout, .tlsHandshakeTimeout, .socksHandshakeTimeout, .httpProxyHandshakeTimeout,
            .getConnectionFromPoolTimeout:
            self.init(.unreachable, "no connection came about in time")
        case .proxyAuthenticationRequired: self.init(.unreachable, "the proxy wants a user name and a password")
        case .invalidProxyResponse: self.init(.unreachable, "the proxy refused the connection")
        case .remoteConnectionClosed: self.init(.broken, "the server closed the connection")
        default: self.init(isConnected ? .broken : .unreachable, "the connection failed: \(error)")
        }
    }

    private static func text(_ error: NIOConnectionError) -> String {
        if error.connectionErrors.isEmpty { return "there is no host of the name '\(error.host)'" }
        let reasons = error.connectionErrors.map { failure in
            (failure.error as? IOError)?.strippedDescription ?? "\(failure.error)"
        }
        return "no connection to \(error.host):\(error.port): \(Array(Set(reasons)).sorted().joined(separator: ", "))"
    }
}

extension IOError {
    /// The system's own words, without the name of the call.
    fileprivate var strippedDescription: String {
        // Sound: the text of strerror lives until the next call, and is copied at once.
        unsafe String(cString: strerror(errnoCode)).lowercased()
    }
}
