// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// A connection on which one request is asked after the other, each waited for; for what is not under load.
///
/// Its owner closes it.
final class Conversation {
    private let socket: Socket
    private let endpoint: Endpoint
    private(set) var response = ResponseReader()

    init(_ endpoint: Endpoint) throws(SystemError) {
        self.endpoint = endpoint
        socket = try Socket(port: endpoint.port)
    }

    func close() { socket.close() }

    /// Sends a request and waits for its response, whose status must be 200 or 202.
    func ask(_ request: [UInt8]) throws {
        var sent = 0
        let end = ContinuousClock.now + RunningLodge.patience
        while true {
            sent += try socket.send(request, from: sent)
            if try response.next() { break }
            guard socket.wait(for: sent < request.count ? POLLIN | POLLOUT : POLLIN, within: end - .now) else {
                throw RunningLodge.Failure(description: "no answer after \(RunningLodge.patience)")
            }
            guard try response.receive(from: socket) != .end else {
                throw RunningLodge.Failure(description: "the connection ended instead of an answer")
            }
        }
        guard response.status == 200 || response.status == 202 else {
            let text = String(decoding: response.body, as: UTF8.self)
            throw RunningLodge.Failure(description: "status \(response.status): \(text)")
        }
    }

    /// Opens a session and answers its id.
    func openSession() throws -> String {
        try ask(endpoint.post(Endpoint.initialize))
        let session = String(decoding: response.session, as: UTF8.self)
        guard !session.isEmpty else { throw RunningLodge.Failure(description: "initialize gave no session") }
        try ask(endpoint.post(Endpoint.initialized, session: session))
        return session
    }

    /// Calls a tool without arguments; answers the whole body.
    func call(_ tool: String, session: String) throws -> [UInt8] {
        let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(tool)","arguments":{}}}"#
        try ask(endpoint.post(body, session: session))
        return response.body
    }

    func endSession(_ session: String) throws { try ask(endpoint.delete(session: session)) }
}
