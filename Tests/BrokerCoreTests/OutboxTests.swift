// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import BrokerCore

@Suite("What waits for a client without a stream")
struct OutboxTests {
    private func message(_ text: String) -> MessageBytes { MessageBytes(bytes: Array(text.utf8)) }
    private func message(bytes: Int) -> MessageBytes { MessageBytes(ByteBuffer(repeating: 0x20, count: bytes)) }

    // `#expect` takes no mutating call on a variable, but a function with an inout parameter.
    private func add(_ outbox: inout Outbox, _ request: MessageBytes, _ ticket: Ticket) -> Bool {
        outbox.add(request: request, ticket: ticket)
    }
    private func remove(_ outbox: inout Outbox, _ ticket: Ticket) -> Bool { outbox.remove(ticket) }
    private func all(_ outbox: inout Outbox) -> [MessageBytes] { outbox.takeAll() }
    private func requests(_ outbox: inout Outbox) -> [MessageBytes]? { outbox.takeRequests() }

    @Test("everything comes out once, notifications first, each in order")
    func order() {
        var outbox = Outbox()
        #expect(add(&outbox, message("r1"), 1))
        outbox.add(notification: message("n1"))
        #expect(add(&outbox, message("r2"), 2))
        outbox.add(notification: message("n2"))
        #expect(all(&outbox).map(\.text) == ["n1", "n2", "r1", "r2"])
        #expect(outbox.isEmpty)
        #expect(all(&outbox).isEmpty)
    }

    @Test("requests can be taken alone")
    func requests() {
        var outbox = Outbox()
        #expect(requests(&outbox) == nil)
        #expect(add(&outbox, message("r1"), 1))
        outbox.add(notification: message("n1"))
        #expect(requests(&outbox)?.map(\.text) == ["r1"])
        #expect(requests(&outbox) == nil)
        #expect(all(&outbox).map(\.text) == ["n1"])
    }

    @Test("a request can be taken back once")
    func removed() {
        var outbox = Outbox()
        #expect(add(&outbox, message("r1"), 1))
        #expect(add(&outbox, message("r2"), 2))
        #expect(remove(&outbox, 1))
        #expect(!remove(&outbox, 1))
        #expect(all(&outbox).map(\.text) == ["r2"])
    }

    @Test("the oldest notification makes room for a new one")
    func notificationCap() {
        var outbox = Outbox()
        for number in 1...65 { outbox.add(notification: message("n\(number)")) }
        let kept = all(&outbox).map(\.text)
        #expect(kept.count == 64)
        #expect(kept.first == "n2")
        #expect(kept.last == "n65")
    }

    @Test("a request beyond the cap finds no room")
    func requestCap() {
        var outbox = Outbox()
        for number in 1...64 { #expect(add(&outbox, message("r"), Ticket(number))) }
        #expect(!add(&outbox, message("r"), 65))
        #expect(remove(&outbox, 1))
        #expect(add(&outbox, message("r"), 65))
    }

    @Test("all messages together stay within a mebibyte")
    func byteLimit() {
        var outbox = Outbox()
        let half = 512 * 1024
        #expect(add(&outbox, message(bytes: half), 1))
        #expect(!add(&outbox, message(bytes: half + 1), 2))
        outbox.add(notification: message(bytes: half))
        outbox.add(notification: message("n"))
        #expect(all(&outbox).map(\.count) == [1, half])
        outbox.add(notification: message(bytes: 2 * half + 1))
        #expect(outbox.isEmpty)
    }

    @Test("room that was given back can be used again")
    func roomComesBack() {
        var outbox = Outbox()
        let whole = 1024 * 1024
        #expect(add(&outbox, message(bytes: whole), 1))
        #expect(remove(&outbox, 1))
        #expect(add(&outbox, message(bytes: whole), 2))
        #expect(requests(&outbox)?.count == 1)
        #expect(add(&outbox, message(bytes: whole), 3))
    }
}

@Suite("Tickets that were given up")
struct GivenUpTicketsTests {
    @Test("a ticket counts once")
    func once() {
        var tickets = GivenUpTickets()
        tickets.insert(5)
        tickets.insert(5)
        let (first, second, other) = (tickets.remove(5), tickets.remove(5), tickets.remove(6))
        #expect(first)
        #expect(!second)
        #expect(!other)
    }

    @Test("the oldest are forgotten first, the latest thousands are kept")
    func bounded() {
        var tickets = GivenUpTickets()
        for ticket in 1...10_000 { tickets.insert(Ticket(ticket)) }
        let (oldest, newest, recent) = (tickets.remove(1), tickets.remove(10_000), tickets.remove(8_000))
        #expect(!oldest)
        #expect(newest)
        #expect(recent)
    }
}
