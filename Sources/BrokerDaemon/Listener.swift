// SPDX-License-Identifier: Apache-2.0
import Gateway
import Glibc
import NIOCore
import ServiceLifecycle

/// One place where a broker listens: for all its servers, or for one that has a port of its own.
struct Listener: Service {
    let gateway: GatewayService
    let host: String
    /// As configured; 0 takes a free one.
    let port: Int
    /// The server that has the place for itself.
    let server: String?
    /// Opens with the port once the gateway listens.
    let bound: BoundPort

    func run() async throws {
        do {
            try await gateway.run()
        } catch let error where !(error is CancellationError) {
            throw ListenFailure(error, host: host, port: port, server: server)
        }
    }
}

/// A place cannot be listened on: a sentence and what mends it.
struct ListenFailure: Error, CustomStringConvertible {
    let message: String
    let hints: [String]

    init(_ error: any Error, host: String, port: Int, server: String?) {
        let start = "cannot serve \(server.map { "'\($0)' " } ?? "")on \(host):\(port)"
        let address = ["--listen takes an address of this machine"]
        let reason: (text: String, hints: [String])
        if error is SocketAddressError.UnknownHost {
            reason = ("there is no host of that name", address)
        } else if let system = error as? IOError {
            switch system.errnoCode {
            case EADDRINUSE:
                reason = (
                    "the port is taken",
                    [
                        server == nil
                            ? "choose another with --listen, or 0 for a free one"
                            : "give the server another host_port, or none"
                    ]
                )
            case EACCES:
                reason = (
                    "ports below 1024 need rights that lodge does not have",
                    [server == nil ? "choose a higher one with --listen" : "give the server a higher host_port"]
                )
            default:
                // Sound: the text of strerror lives until the next call, and is copied at once.
                reason = (unsafe String(cString: strerror(system.errnoCode)), address)
            }
        } else {
            reason = ("\(error)", [])
        }
        message = "\(start): \(reason.text)"
        hints = reason.hints
    }

    var description: String { message }
}
