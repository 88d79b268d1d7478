// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

/// One call of a client, and what the oracle knows of it.
struct ModelCall {
    let session: UInt64
    /// The client's id, as it was written.
    let id: String
    let token: String?
    /// What marks the call and everything that belongs to it.
    let name: String
    let sink: RecordingSink
    var ticket: Ticket?
    var wasWithdrawn = false

    var isFinished: Bool { wasWithdrawn || !sink.answers.isEmpty }

    /// Everything that this call's client saw belongs to this call, and it was answered once.
    func check() throws {
        let bodies = sink.bodies
        #expect(bodies.count == 1 || (wasWithdrawn && bodies.isEmpty), "call \(name) has \(bodies.count) answers")
        for body in bodies {
            let message = try ServerMessage.of(body)
            #expect(message.raw(message.envelope.id) == id, "call \(name) was answered under a foreign id")
            let value = try JSONValue.parse(Array(body.utf8))
            let marks = [value["result"]?["nonce"], value["error"]?["data"]?["nonce"]].compactMap { $0?.string }
            #expect(marks.allSatisfy { $0 == name }, "call \(name) got the answer to \(marks)")
            let isLodges = value["error"]?["data"]?["server"]?.string == "files"
            #expect(!marks.isEmpty || isLodges, "call \(name) got an answer of nobody")
        }
        for text in sink.messages where text.contains("notifications/progress") {
            let value = try JSONValue.parse(Array(text.utf8))
            let message = try ServerMessage.of(text)
            #expect(value["params"]?["message"]?.string == name, "call \(name) got another's progress")
            let seen = message.raw(message.envelope.paramsProgressToken)
            #expect(seen == token, "call \(name) got progress under a foreign token")
        }
    }
}
