// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("States of requests that ask for input")
struct RequestStateTests {
    private let clock = LockedValue<UInt64>(1000)

    private func states(server: String = "files", keyByte: UInt8 = 7) throws -> RequestStates {
        let clock = clock
        return RequestStates(
            server: server, signing: try #require(TestSigning(keyByte: keyByte)), wallClock: { clock.value })
    }

    private let state = RequestState(upstream: 3, course: .suspended(5, round: 1))

    private func call(_ params: String = #""name":"t","arguments":{"a":1,"b":{"c":"x","d":2}}"#) throws -> ClientMessage
    {
        try .of(#"{"id":1,"method":"tools/call","params":{\#(params)}}"#)
    }

    @Test("every course comes back as it was sealed")
    func roundTrip() throws {
        let courses: [RequestState.Course] = [
            .suspended(5, round: 2), .server(nil), .server([]), .server(Array(#""inner""#.utf8)),
        ]
        for course in courses {
            let sealed = try states().seal(.init(upstream: .max, course: course), principal: .alice, request: call())
            #expect(
                try states().open(sealed, principal: .alice, request: call())
                    == RequestState(upstream: .max, course: course))
        }
    }

    @Test("members in another order and another spelling are the same request")
    func sameRequest() throws {
        let sealed = try states().seal(state, principal: .alice, request: call())
        let retry = try call(
            #""requestState":"s","_meta":{"x":1},"inputResponses":{},"arguments":{"b":{"d":2,"c":"\u0078"},"a":1},"name":"\u0074""#
        )
        #expect(try states().open(sealed, principal: .alice, request: retry) == state)
    }

    @Test(
        "another tool or other arguments are another request",
        arguments: [
            #""name":"u","arguments":{"a":1,"b":{"c":"x","d":2}}"#,
            #""name":"t","arguments":{"a":2,"b":{"c":"x","d":2}}"#,
            #""name":"t","arguments":{"a":1,"b":{"c":"x"}}"#, #""name":"t""#,
            #""name":"t","arguments":{"a":1,"b":{"c":"x","d":2}},"more":1"#,
        ])
    func otherRequest(params: String) throws {
        let sealed = try states().seal(state, principal: .alice, request: call())
        #expect(try states().open(sealed, principal: .alice, request: call(params)) == nil)
    }

    @Test("arguments that are nested very deeply are told apart too")
    func deep() throws {
        func deep(_ tool: String, _ core: String) throws -> ClientMessage {
            let (open, close) = (String(repeating: "[", count: 200), String(repeating: "]", count: 200))
            return try call(#""name":"\#(tool)","arguments":{"a":\#(open)\#(core)\#(close)}"#)
        }
        let sealed = try states().seal(state, principal: .alice, request: deep("t", "1"))
        #expect(try states().open(sealed, principal: .alice, request: deep("t", "1")) == state)
        #expect(try states().open(sealed, principal: .alice, request: deep("t", "2")) == nil)
        #expect(try states().open(sealed, principal: .alice, request: deep("u", "1")) == nil)
    }

    @Test("another principal, server, method or key, and too late: no state at all")
    func strangers() throws {
        let sealed = try states().seal(state, principal: .alice, request: call())
        #expect(try states().open(sealed, principal: .bob, request: call()) == nil)
        #expect(try states(server: "other").open(sealed, principal: .alice, request: call()) == nil)
        #expect(try states(keyByte: 8).open(sealed, principal: .alice, request: call()) == nil)
        let prompt = try ClientMessage.of(
            #"{"id":1,"method":"prompts/get","params":{"name":"t","arguments":{"a":1,"b":{"c":"x","d":2}}}}"#)
        #expect(try states().open(sealed, principal: .alice, request: prompt) == nil)
        clock.update { $0 = 1599 }
        #expect(try states().open(sealed, principal: .alice, request: call()) == state)
        clock.update { $0 = 1600 }
        #expect(try states().open(sealed, principal: .alice, request: call()) == nil)
    }

    @Test("a text that was changed in any byte, cut or lengthened is no state")
    func tampered() throws {
        let sealed = Array(try states().seal(state, principal: .alice, request: call()).utf8)
        let (states, call) = (try states(), try call())
        func opens(_ bytes: [UInt8]) -> Bool {
            states.open(String(decoding: bytes, as: UTF8.self), principal: .alice, request: call) != nil
        }
        #expect(opens(sealed))
        for place in sealed.indices {
            for bit in 0..<7 {
                var bytes = sealed
                bytes[place] ^= 1 << bit
                #expect(!opens(bytes), "byte \(place), bit \(bit)")
            }
            #expect(!opens(Array(sealed.prefix(place))))
        }
        for more in ["A", "AA", "=", " ", "\n"] { #expect(!opens(sealed + Array(more.utf8))) }
    }
}
