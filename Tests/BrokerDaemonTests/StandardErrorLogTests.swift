// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import Testing

@testable import BrokerDaemon

@Suite("A line of the log")
struct StandardErrorLogTests {
    private let redactor = SharedRedactor()

    private func line(
        _ format: StandardErrorLog.Format, _ message: Logger.Message, _ metadata: Logger.Metadata = [:]
    ) -> String {
        let log = StandardErrorLog(label: "lodge", level: .info, format: format, redaction: redactor)
        let event = LogEvent(
            level: .warning, message: message, metadata: metadata, source: nil, file: "", function: "", line: 1)
        return log.line(for: event, at: Date(timeIntervalSince1970: 1_700_000_000.25))
    }

    private func text(_ message: Logger.Message, _ metadata: Logger.Metadata = [:]) -> String {
        String(line(.text, message, metadata).dropFirst("2023-11-14T22:13:20.250Z warning lodge: ".count))
    }

    @Test("text is time, level, label, message and the fields in the order of their names")
    func textLine() {
        #expect(
            line(.text, "server started", ["pid": "7", "generation": "1"])
                == "2023-11-14T22:13:20.250Z warning lodge: server started generation=1 pid=7")
    }

    @Test("JSON is one object with the fields beside the message")
    func jsonLine() {
        #expect(
            line(.json, "server started", ["pid": "7", "generation": "1"])
                == #"{"time":"2023-11-14T22:13:20.250Z","level":"warning","logger":"lodge","message":"server started","#
                + #""generation":"1","pid":"7"}"#)
    }

    @Test("the logger's own fields stand in each line, and an event's field of that name wins")
    func ownFields() {
        var log = StandardErrorLog(label: "lodge", level: .info, format: .text, redaction: redactor)
        log[metadataKey: "server"] = "time"
        log[metadataKey: "pid"] = "1"
        let event = LogEvent(
            level: .info, message: "m", metadata: ["pid": "2"], source: nil, file: "", function: "", line: 1)
        #expect(log.line(for: event, at: .now).hasSuffix(" info lodge: m pid=2 server=time"))
    }

    @Test(
        "a value is quoted in text where it would not be told from what stands around it",
        arguments: [
            ("plain", "plain"), ("", #""""#), ("a b", #""a b""#), ("a=b", #""a=b""#), (#"a"b"#, #""a\"b""#),
            (#"a\b"#, #"a\b"#), (#"a\ b"#, #""a\\ b""#), (#""pid=1"#, #""\"pid=1""#),
            ("a b\"\u{301} pid=1", "\"a b\\\"\u{301} pid=1\""),
        ])
    func quoting(value: String, quoted: String) {
        #expect(text("m", ["line": "\(value)"]) == "m line=" + quoted)
    }

    @Test(
        "a control character of a server is a space in text",
        arguments: ["\u{0}", "\n", "\r", "\r\n", "\t", "\u{1b}", "\u{7f}", "\u{85}", "\u{9b}"])
    func controlCharacters(character: String) {
        let space = String(repeating: " ", count: character.unicodeScalars.count)
        #expect(text("a\(character)b", ["line": "c\(character)d"]) == "a\(space)b line=\"c\(space)d\"")
    }

    @Test(
        "every text comes back from JSON as it was",
        arguments: ["\u{0}\u{1f}\n\r\t\u{1b}\u{7f}", #"a"b\c/d"#, "é\u{301}\"\u{301}"])
    func jsonStrings(value: String) throws {
        let bytes = Data(line(.json, "m", ["line": "\(value)"]).utf8)
        let object = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: String])
        #expect(object["line"].map { Array($0.utf8) } == Array(value.utf8))
    }

    @Test(
        "a secret is taken out of message and fields, also one that has to be quoted there",
        arguments: StandardErrorLog.Format.allCases, ["s3cret", #"s3"cr\et"#, "s3\ncret\n", "s3 =\u{1b}cret"])
    func redaction(format: StandardErrorLog.Format, secret: String) {
        redactor.add([(name: "API_KEY", value: secret)])
        let line = line(format, "got \(secret)", ["line": "key \(secret)!"])
        switch format {
        case .text: #expect(line.hasSuffix(#" got [redacted:API_KEY] line="key [redacted:API_KEY]!""#))
        case .json: #expect(line.hasSuffix(#""message":"got [redacted:API_KEY]","line":"key [redacted:API_KEY]!"}"#))
        }
    }
}

@Suite("The redactor of a broker")
struct SharedRedactorTests {
    private let redactor = SharedRedactor()

    @Test("nothing is taken out before a secret is known")
    func empty() {
        #expect(redactor.redact("key s3cret") == "key s3cret")
        #expect(redactor.values.isEmpty)
    }

    @Test("secrets of several servers are taken out, each under its name")
    func several() {
        redactor.add([(name: "A", value: "first-1")])
        redactor.add([(name: "B", value: "second-2")])
        #expect(redactor.redact("first-1 second-2 third-3") == "[redacted:A] [redacted:B] third-3")
        #expect(redactor.values.sorted() == ["first-1", "second-2"])
    }

    @Test("a value that changed is taken out as the new one is")
    func changed() {
        redactor.add([(name: "A", value: "before-1")])
        redactor.add([(name: "A", value: "after-2")])
        #expect(redactor.redact("before-1 after-2") == "[redacted:A] [redacted:A]")
    }

    @Test("a value that is added again stays one value")
    func again() {
        for _ in 1...2 { redactor.add([(name: "A", value: "s3cret")]) }
        #expect(redactor.values == ["s3cret"])
        #expect(redactor.redact("s3cret") == "[redacted:A]")
    }
}
