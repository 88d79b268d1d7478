// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import JSONRPCOracle

/// An MCP server on stdio that answers in any order but that of the requests, and mingles the progress of calls.
///
/// Tool `echo` {message} answers with it; `progress` {steps, label} sends that many notifications with the label and
/// then answers with it; `hang` never answers; `hanging` tells how many calls of it were not cancelled. What waits is
/// as much as clients have in flight, and hanging calls; nothing else is kept, however long it runs.
struct ShuffledServer: ~Copyable {
    private struct Work {
        let id: JSONValue
        var text: String
        /// The token and the number of notifications.
        let progress: (token: JSONValue, steps: Int)?
        var step = 0
    }

    private var reader = LineReader(.standardInput)
    private var random: SplitMix64
    private let swaps: Bool
    private var waiting: [Work] = []
    private var hanging: Set<JSONValue> = []
    private var output: [UInt8] = []

    /// - Parameter swaps: whether it now and then mixes up two calls, to see whether anybody notices.
    static func run(seed: UInt64, swaps: Bool) {
        var server = ShuffledServer(random: SplitMix64(seed: seed), swaps: swaps)
        // Neither an input that cannot be read nor an output nobody reads leaves anything to do but to end.
        try? server.run()
    }

    private init(random: SplitMix64, swaps: Bool) {
        self.random = random
        self.swaps = swaps
    }

    private mutating func run() throws {
        while let line = try reader.next() {
            try take(line)
            while !reader.hasLine, !waiting.isEmpty {
                for _ in 0...random.below(waiting.count) where !waiting.isEmpty { advance(random.below(waiting.count)) }
                if Descriptor.standardInput.hasInput(within: 0) { break }
            }
            if !reader.hasLine, !output.isEmpty {
                try Descriptor.standardOutput.write(output)
                output.removeAll(keepingCapacity: true)
            }
        }
    }

    private mutating func take(_ line: [UInt8]) throws {
        switch Message(try JSONValue(parsing: line)) {
        case .request(let request): take(request)
        case .notification("notifications/cancelled", let params):
            guard let id = params["requestId"] else { return }
            hanging.remove(id)
            waiting.removeAll { $0.id == id }
        case .notification, .answer, .batch, .invalid: return
        }
    }

    private mutating func take(_ request: Request) {
        let params = request.params
        let arguments = params["arguments"]
        switch (request.method, params["name"]?.text) {
        case ("initialize", _):
            answer(request.id, ToolServer.welcome(params, name: "shuffled", capabilities: ["tools": [:]]))
        case ("ping", _): answer(request.id, [:])
        case ("tools/list", _): answer(request.id, ["tools": .array(Self.tools.map(\.definition))])
        case ("tools/call", "echo"):
            waiting.append(Work(id: request.id, text: arguments?["message"]?.text ?? "", progress: nil))
        case ("tools/call", "progress"):
            let progress = request.progressToken.map { ($0, arguments?["steps"]?.integer ?? 0) }
            waiting.append(Work(id: request.id, text: arguments?["label"]?.text ?? "", progress: progress))
        case ("tools/call", "hang"): hanging.insert(request.id)
        case ("tools/call", "hanging"): answer(request.id, .content(.text("\(hanging.count)")))
        default:
            let outcome: Result<JSONValue, RPCError> = .failure(.unknownMethod(request.method))
            output += Message.answer(to: request.id, outcome).bytes + [0x0A]
        }
    }

    /// Sends the next message of one call: a step of its progress, or its answer.
    private mutating func advance(_ place: Int) {
        if swaps, random.once(in: 20) {
            (waiting[0].text, waiting[place].text) = (waiting[place].text, waiting[0].text)
        }
        let work = waiting[place]
        guard let progress = work.progress, work.step < progress.steps else {
            waiting.swapAt(place, waiting.count - 1)
            waiting.removeLast()
            return answer(work.id, .content(.text(work.text)))
        }
        waiting[place].step += 1
        let params: JSONValue = [
            "progressToken": progress.token, "progress": .integer(work.step + 1), "total": .integer(progress.steps),
            "message": .string(work.text),
        ]
        output += Message.notification("notifications/progress", params).bytes + [0x0A]
    }

    private mutating func answer(_ id: JSONValue, _ result: JSONValue) {
        output += Message.answer(to: id, .success(result)).bytes + [0x0A]
    }

    /// Only their definitions are used; the calls are answered by the loop, in its order.
    private static let tools = ["echo", "progress", "hang", "hanging"].map { name in
        Tool(name, "Answered in no order") { _, _ in [:] }
    }
}
