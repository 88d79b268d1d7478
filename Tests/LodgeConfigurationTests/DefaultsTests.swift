// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

@Suite("Defaults")
struct DefaultsTests {
    @Test("the table says what the reference page promises")
    func table() {
        let lines = DefaultsTable.rows.map { "\($0.key): \($0.value)" }
        #expect(
            lines == [
                "listen port: 8080", "request body: 4 MiB", "upstream line: 64 MiB", "response held in memory: 64 MiB",
                "call timeout: 300 s", "call timeout, absolute: 3600 s", "start of an upstream: 30 s",
                "session, idle: 30 min", "session, absolute: 24 h", "sessions: 10000", "stream keep-alive: 15 s",
                "write stalled: 60 s", "answer becomes a stream: 15 s", "stream kept without its client: 60 s",
                "events kept of a stream: 256", "bytes kept of a stream: 1 MiB", "teardown, after stdin is closed: 1 s",
                "teardown, after TERM: 2 s", "restart delays: 1, 2, 4, 8, 15 s", "restart delays, reset: 60 s",
                "client upstreams: 32", "client upstreams, idle: 10 min", "replicas: 2",
            ])
    }

    @Test("no key stands twice and every row explains itself")
    func distinct() {
        #expect(Set(DefaultsTable.rows.map(\.key)).count == DefaultsTable.rows.count)
        #expect(DefaultsTable.rows.allSatisfy { !$0.text.isEmpty && !$0.text.hasSuffix(".") })
    }
}
