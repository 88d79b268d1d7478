// SPDX-License-Identifier: Apache-2.0
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("Results that may be given again")
struct ResultCacheTests {
    private let now = ContinuousClock.now
    private let states: RequestStates

    init() throws {
        states = RequestStates(server: "files", signing: try #require(TestSigning()), wallClock: { 1000 })
    }

    private func request(
        _ method: String = "tools/list", _ params: String = "", _ principal: Principal = .alice
    ) throws -> ModernRequest {
        try ModernReader(states: states).read(.of(Modern.request("1", method, params), principal: principal)).get()
    }

    private func caching(
        _ milliseconds: Int64 = 1000, _ scope: ModernResult.Caching.Scope = .isPrivate
    ) -> ModernResult.Caching { .init(milliseconds: milliseconds, scope: scope) }

    private func keep(
        _ text: String, for request: ModernRequest, _ caching: ModernResult.Caching, in cache: inout ResultCache
    ) throws {
        cache.keep(Array(text.utf8), at: try #require(cache.place(for: request)), caching: caching, now: now)
    }

    private func found(_ cache: ResultCache, _ request: ModernRequest, after time: Duration = .zero) -> String? {
        cache.result(for: request, now: now.advanced(by: time)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a private result is its principal's, a public one everybody's, each for its time")
    func scopes() throws {
        var cache = ResultCache()
        try keep("p", for: request(), caching(), in: &cache)
        #expect(try found(cache, request()) == "p")
        #expect(try found(cache, request("tools/list", "", .bob)) == nil)
        #expect(try found(cache, request(), after: .milliseconds(999)) == "p")
        #expect(try found(cache, request(), after: .seconds(1)) == nil)
        try keep("q", for: request("prompts/list"), caching(1000, .isPublic), in: &cache)
        #expect(try found(cache, request("prompts/list", "", .bob)) == "q")
        #expect(try found(cache, request("prompts/list", "", .bob), after: .seconds(1)) == nil)
        try keep("n", for: request("resources/list"), caching(0), in: &cache)
        #expect(try found(cache, request("resources/list")) == nil)
    }

    @Test("pages and resources are told apart, however they are spelled")
    func keys() throws {
        var cache = ResultCache()
        try keep("1", for: request("tools/list", #""cursor":"","#), caching(), in: &cache)
        #expect(try found(cache, request()) == nil)
        #expect(try found(cache, request("tools/list", #""cursor":"","#)) == "1")
        try keep("2", for: request("resources/read", #""uri":"a:1","#), caching(), in: &cache)
        #expect(try found(cache, request("resources/read", #""uri":"\u0061:1","#)) == "2")
        #expect(try found(cache, request("resources/read", #""uri":"a:2","#)) == nil)
    }

    @Test(
        "what says more than a key holds has no place",
        arguments: [
            ("tools/list", #""filter":1,"#), ("tools/list", #""cursor":1,"#), ("tools/call", #""name":"t","#),
            ("server/discover", ""), ("resources/read", #""uri":"a:1","inputResponses":{},"#),
            ("tools/list", #""requestState":"x","#),
        ])
    func noPlace(method: String, params: String) throws {
        #expect(try ResultCache().place(for: request(method, params)) == nil)
    }

    @Test("a change makes its own results stale, and what was asked for before it is not kept")
    func changes() throws {
        var cache = ResultCache()
        let read = try request("resources/read", #""uri":"a:1","#)
        try keep("t", for: request(), caching(), in: &cache)
        try keep("p", for: request("prompts/list"), caching(), in: &cache)
        try keep("l", for: request("resources/templates/list"), caching(), in: &cache)
        try keep("r", for: read, caching(), in: &cache)
        let before = try #require(try cache.place(for: request()))
        cache.forget(.tools)
        #expect(try found(cache, request()) == nil)
        #expect(try found(cache, request("prompts/list")) == "p")
        cache.keep(Array("late".utf8), at: before, caching: caching(), now: now)
        #expect(try found(cache, request()) == nil)
        cache.forget(.resources)
        #expect(try found(cache, request("resources/templates/list")) == nil)
        cache.forget(resource: "a:2")
        #expect(found(cache, read) == "r")
        cache.forget(resource: "a:1")
        #expect(found(cache, read) == nil)
        let generation = try #require(try cache.place(for: request()))
        cache.forgetAll()
        #expect(cache.count == 0)
        cache.keep(Array("late".utf8), at: generation, caching: caching(), now: now)
        #expect(cache.count == 0)
    }

    @Test("it holds no more than it may, and what is over its time makes room")
    func bounds() throws {
        var cache = ResultCache()
        let big = String(repeating: "x", count: 1 << 20)
        try keep(big + "x", for: request(), caching(), in: &cache)
        #expect(cache.count == 0)
        for page in 0..<9 { try keep(big, for: request("tools/list", #""cursor":"\#(page)","#), caching(), in: &cache) }
        #expect(cache.count == 8)
        try keep(big, for: request("tools/list", #""cursor":"0","#), caching(), in: &cache)
        #expect(cache.count == 8)
        cache.forgetAll()
        for page in 0..<300 {
            try keep("x", for: request("tools/list", #""cursor":"\#(page)","#), caching(), in: &cache)
        }
        #expect(cache.count == 256)
        let place = try #require(try cache.place(for: request()))
        cache.keep([1], at: place, caching: caching(), now: now.advanced(by: .seconds(1)))
        #expect(cache.count == 1)
    }
}
