// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// `chatty [--stderr-flood BYTES] [--garbage] [--huge-line BYTES]`: a server whose output is hard to read.
///
/// `--stderr-flood` fills standard error before the first message is read; `--garbage` puts lines around each message
/// that are none; `--huge-line` is the length of the lines of `huge` and `huge_notification`, 100 MB by default.
@MainActor
enum ChattyMode {
    static func run(_ options: CommandLineOptions) async {
        var options = options
        let flood = options.takeNumber("stderr-flood") ?? 0
        let isGarbage = options.takeFlag("garbage")
        let hugeLine = options.takeNumber("huge-line") ?? 100_000_000
        options.finish()
        self.flood(flood)
        let writer = LineWriter(.standardOutput) { line in
            isGarbage ? garbageBefore + line + garbageBehind : line + [0x0A]
        }
        await StdioServer(ToolServer("chatty", tools: tools(hugeLine)), connection: Connection(writer)).run()
    }

    private nonisolated static let garbageBefore = Array("\n\r\n   \nStarting up...\n{\"not\":\"finished\n".utf8)
    private nonisolated static let garbageBehind = Array("\n[1,2\n\u{1B}[31mwarning\u{1B}[0m\n\u{FEFF}\ntrue\n".utf8)

    private nonisolated static func flood(_ bytes: Int) {
        let line = Array("chatty: so much to say and nobody who listens to it, over and over again, again\n".utf8)
        var rest = bytes
        while rest > 0 {
            guard (try? Descriptor.standardError.write(Array(line.suffix(rest)))) != nil else { return }
            rest -= min(rest, line.count)
        }
    }

    private nonisolated static func tools(_ hugeLine: Int) -> [Tool] {
        [
            .echo,
            Tool("huge", "Answers with a very long line") { _, context in
                try write(answerTo: context.id, length: hugeLine, context)
            },
            Tool("huge_notification", "Sends a log message that is a very long line, and then answers") { _, context in
                let message = Message.notification("notifications/message", ["level": "info", "data": mark])
                context.connection.writer.write(line: try padded(message, to: hugeLine))
                return .content(.text("sent"))
            },
            Tool(
                "line", "Answers with a line of exactly that many bytes, the line feed not counted",
                properties: ["bytes": ["type": "integer", "minimum": 0]]
            ) { arguments, context in
                try write(answerTo: context.id, length: try arguments.count("bytes"), context)
            },
            Tool(
                "flood", "Writes that many bytes to standard error and then answers",
                properties: ["bytes": ["type": "integer", "minimum": 0]]
            ) { arguments, _ in
                flood(try arguments.count("bytes"))
                return .content(.text("flooded"))
            },
            raw("invalid_utf8", "Answers with a text that is not UTF-8", text: [0x61, 0xFF, 0xFE, 0xC3, 0x28, 0x7A]),
            raw("nul_bytes", "Answers with a text that holds raw zero bytes", text: [0x61, 0x00, 0x00, 0x7A]),
            Tool("carriage_returns", "Answers with carriage returns between tokens and at the end") { _, context in
                let answer = Message.answer(to: context.id, .success(.content(.text("carriage returns"))))
                let spaced = answer.json.replacing(",\"", with: "\r,\r\"")
                context.connection.writer.write(line: Array("\r\(spaced)\r".utf8))
                throw AnswerSent()
            },
            Tool("unknown_ids", "Sends answers to requests that nobody sent, and then its own") { _, context in
                let ids: [JSONValue] = [999_999, "nobody", -1, 1.5, .null, .string(context.id.json + "x")]
                for id in ids {
                    context.connection.writer.write(Message.answer(to: id, .success(.content(.text("not for you")))))
                }
                return .content(.text("mine"))
            },
        ]
    }

    private nonisolated static let mark: JSONValue = "@@"

    private nonisolated static func write(
        answerTo id: JSONValue, length: Int, _ context: RequestContext
    ) throws -> Never {
        let answer = Message.answer(to: id, .success(["content": [["type": "text", "text": mark]]]))
        context.connection.writer.write(line: try padded(answer, to: length))
        throw AnswerSent()
    }

    /// The message with its mark stretched so that the line has that length.
    private nonisolated static func padded(_ message: JSONValue, to length: Int) throws(ToolFailure) -> [UInt8] {
        let bytes = message.bytes
        let rest = bytes.count - 2
        guard length >= rest else { throw ToolFailure("the shortest line is \(rest) bytes long") }
        // The mark stands last in every message that is made here.
        guard let place = bytes.lastIndex(of: UInt8(ascii: "@")) else { throw ToolFailure("the mark is missing") }
        let middle = [UInt8](repeating: UInt8(ascii: "x"), count: length - rest)
        return Array(bytes[..<(place - 1)]) + middle + Array(bytes[(place + 1)...])
    }

    /// A tool that answers with a text of bytes that no serialiser would write.
    private nonisolated static func raw(_ name: String, _ description: String, text: [UInt8]) -> Tool {
        Tool(name, description) { _, context in
            let answer = Message.answer(to: context.id, .success(["content": [["type": "text", "text": mark]]])).bytes
            guard let place = answer.lastIndex(of: UInt8(ascii: "@")) else { throw ToolFailure("the mark is missing") }
            context.connection.writer.write(line: Array(answer[..<(place - 1)]) + text + answer[(place + 1)...])
            throw AnswerSent()
        }
    }
}
