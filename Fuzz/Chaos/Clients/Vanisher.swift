// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc
import JSONRPCOracle

/// A client that leaves without a word, again and again: each time at another byte of what is sent or received.
///
/// What it reads until then is looked through for the words of others.
final class Vanisher: Participant {
    private(set) var socket: Socket?
    private(set) var isFinished = false

    private let departures: Departures
    private let findings: Findings
    private var departure = Departure()
    private var sent = 0
    private var received: [UInt8] = []
    private var leavesBy: ContinuousClock.Instant = .now

    init(_ departures: Departures, findings: Findings) {
        self.departures = departures
        self.findings = findings
        arrive()
    }

    var events: Int32 { sent < departure.request.count ? POLLIN | POLLOUT : POLLIN }

    func ready(now: ContinuousClock.Instant) { act(now) }

    func tick(now: ContinuousClock.Instant) { act(now) }

    private func act(_ now: ContinuousClock.Instant) {
        guard let socket else { return arrive() }
        do throws(SystemError) {
            let wasSending = sent < departure.request.count
            sent += try socket.send(departure.request, from: sent)
            if wasSending, departure.finishesSending, sent == departure.request.count { socket.finishSending() }
            // The rest waits in the kernel, and is lost by the RST.
            let outcome = received.count < departure.reads ? try socket.receive(into: &received) : .nothing
            let hasRead = sent == departure.request.count && received.count >= departure.reads
            guard hasRead || outcome == .end || now >= leavesBy else { return }
        } catch {
            // Lodge may close a connection that was never worth an answer; nothing is left to break off.
        }
        leave()
    }

    private func arrive() {
        guard let next = departures.next() else {
            isFinished = true
            return
        }
        departure = next
        sent = 0
        received.removeAll(keepingCapacity: true)
        leavesBy = .now + departure.patience
        do throws(SystemError) {
            socket = try Socket(port: departures.endpoint.port)
        } catch {
            findings.violation("a client could not come in: \(error)")
            isFinished = true
        }
    }

    private func leave() {
        if let stranger = Label.stranger(in: received, to: departure.client) {
            findings.count("answers to the wrong client", 1)
            findings.violation("client \(departure.client), which was leaving, got the words of client \(stranger)")
        }
        socket?.reset()
        socket = nil
        departures.count(departure.kind)
        arrive()
    }
}
