// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What a response turned out to be.
enum Verdict: Equatable {
    /// The answer of the server, to this call, byte for byte.
    case own
    /// Lodge's own answer, -32000, with its reason.
    case failed(reason: String)
    /// An answer that a hostile server made up; it names no client.
    case forged
    /// Another client's words.
    case stranger(Int)
    case wrong(String)
}

/// Compares a response with what its call must get, without reading JSON and with reused memory.
struct AnswerCheck {
    private var expected: [UInt8] = []
    private var messages: [Range<Int>] = []

    /// - Parameter session: the id that the response must carry.
    mutating func verdict(_ response: borrowing ResponseReader, on call: Call, session: [UInt8]) -> Verdict {
        let body = response.body
        if let stranger = Label.stranger(in: body, to: call.client) { return .stranger(stranger) }
        guard response.status == 200 else { return wrong("status \(response.status)", body) }
        guard response.session == session else {
            return wrong("session '\(String(decoding: response.session, as: UTF8.self))'", body)
        }
        guard findMessages(in: body, isEventStream: response.isEventStream), let last = messages.last else {
            return wrong("not events of one message each", body)
        }
        for (index, range) in messages.dropLast().enumerated() {
            expected.removeAll(keepingCapacity: true)
            call.appendProgress(step: index + 1, to: &expected)
            guard body[range].elementsEqual(expected) else { return wrong("not its step \(index + 1)", body) }
        }
        let verdict = final(body[last], of: call) ?? wrong("not its answer", body)
        if verdict == .own, messages.count - 1 != call.steps {
            return wrong("\(messages.count - 1) of \(call.steps) steps", body)
        }
        return verdict
    }

    private mutating func final(_ message: ArraySlice<UInt8>, of call: Call) -> Verdict? {
        expected.removeAll(keepingCapacity: true)
        if call.tool == .hit { return counted(message, of: call) ? .own : failure(message, of: call) }
        call.appendAnswer(to: &expected)
        if message.elementsEqual(expected) { return .own }
        return failure(message, of: call)
    }

    /// `hit 12: LABEL`
    private mutating func counted(_ message: ArraySlice<UInt8>, of call: Call) -> Bool {
        call.appendAnswerStart(to: &expected)
        expected.append(#""result":{"content":[{"type":"text","text":"hit "#)
        guard message.starts(with: expected) else { return false }
        let rest = message.dropFirst(expected.count).drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        expected.removeAll(keepingCapacity: true)
        expected.append(": ")
        Label.append(call, to: &expected)
        expected.append(#""}]}}"#)
        return rest.elementsEqual(expected)
    }

    private mutating func failure(_ message: ArraySlice<UInt8>, of call: Call) -> Verdict? {
        expected.removeAll(keepingCapacity: true)
        call.appendAnswerStart(to: &expected)
        let start = expected.count
        guard message.starts(with: expected) else { return nil }
        let text = String(decoding: message.dropFirst(start), as: UTF8.self)
        if text == #""result":{"content":[{"type":"text","text":"forged"}]}}"# { return .forged }
        guard text.hasPrefix(#""error":{"code":-32000,"#), let reason = text.firstMatch(of: #/"reason":"([^"]+)"/#)
        else { return nil }
        return .failed(reason: String(reason.1))
    }

    private func wrong(_ what: String, _ body: [UInt8]) -> Verdict {
        .wrong("\(what) in: \(String(decoding: body.prefix(600), as: UTF8.self))")
    }

    /// Finds the messages of a body; comments that keep a stream alive are passed over.
    private mutating func findMessages(in body: [UInt8], isEventStream: Bool) -> Bool {
        messages.removeAll(keepingCapacity: true)
        guard isEventStream else {
            messages.append(0..<body.count)
            return true
        }
        var at = 0
        while at < body.count {
            guard let end = endOfEvent(in: body, from: at) else { return false }
            if body[at] != UInt8(ascii: ":") {
                guard body[at..<end].starts(with: Self.eventStart) else { return false }
                messages.append((at + Self.eventStart.count)..<end)
            }
            at = end + 2
        }
        return true
    }

    private func endOfEvent(in body: [UInt8], from start: Int) -> Int? {
        var at = start
        while let feed = body.firstIndex(of: UInt8(ascii: "\n"), from: at) {
            if feed + 1 < body.count, body[feed + 1] == UInt8(ascii: "\n") { return feed }
            at = feed + 1
        }
        return nil
    }

    private static let eventStart = Array("event: message\ndata: ".utf8)
}
