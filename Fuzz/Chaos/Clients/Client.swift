// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// A well-behaved client: one session, one connection, calls without end, each answer checked.
///
/// Every fourth one sends bursts of calls without waiting for answers (pipelining, RFC 9112 section 9.3.2), every
/// fourth smaller ones with progress among them; the others wait for each answer, half of them with much progress.
final class Client: Participant {
    private(set) var socket: Socket?
    private(set) var isFinished = false

    private let number: Int
    private let workload: Workload
    private let endpoint: Endpoint
    private let session: [UInt8]
    private let head: [UInt8]
    private let burst: Int
    private let progressShare: Int

    private var reader = ResponseReader()
    private var check = AnswerCheck()
    private var inFlight: [Call] = []
    private var sequence = 0
    private var request: [UInt8] = []
    private var sent = 0
    private var message: [UInt8] = []
    private var losses = 0

    /// A broker that drops this many connections of one client is not asked again.
    private static let lossLimit = 10

    init(number: Int, session: String, endpoint: Endpoint, workload: Workload) {
        self.number = number
        self.workload = workload
        self.endpoint = endpoint
        self.session = Array(session.utf8)
        head = endpoint.postHead(session: session)
        (burst, progressShare) = [(8, 0), (1, 2), (1, 0), (4, 8)][number % 4]
        connect()
    }

    var events: Int32 { sent < request.count ? POLLIN | POLLOUT : POLLIN }

    // MARK: Participant

    func ready(now: ContinuousClock.Instant) {
        do {
            guard let socket else { return }
            let isOver = try reader.receive(from: socket) == .end
            while try reader.next() { take(now) }
            if isOver { return lose("lodge closed the connection") }
            try go(now)
        } catch {
            lose("\(error)")
        }
    }

    func tick(now: ContinuousClock.Instant) {
        if let oldest = inFlight.first, oldest.sent.duration(to: now) > workload.limit {
            workload.report(oldest, "had no answer after \(workload.limit)")
            return lose("gave up")
        }
        do { try go(now) } catch { lose("\(error)") }
    }

    // MARK: Calls

    private func take(_ now: ContinuousClock.Instant) {
        guard !inFlight.isEmpty else {
            let body = String(decoding: reader.body, as: UTF8.self)
            return workload.report(client: number, "a response without a request: \(body)")
        }
        let call = inFlight.removeFirst()
        workload.take(check.verdict(reader, on: call, session: session), on: call, now: now)
    }

    /// Writes the next calls once the last burst is answered, and what could not be written before.
    private func go(_ now: ContinuousClock.Instant) throws(SystemError) {
        guard let socket else { return }
        if inFlight.isEmpty {
            if reader.waiting > 0 { workload.report(client: number, "\(reader.waiting) bytes more than an answer") }
            request.removeAll(keepingCapacity: true)
            sent = 0
            for _ in 0..<burst {
                let next = workload.next(client: number, sequence: sequence, progressShare: progressShare, now: now)
                guard let call = next else { break }
                append(call)
            }
            if inFlight.isEmpty { return finish() }
        }
        sent += try socket.send(request, from: sent)
    }

    private func append(_ call: Call) {
        sequence += 1
        inFlight.append(call)
        message.removeAll(keepingCapacity: true)
        call.appendMessage(to: &message)
        request.append(contentsOf: head)
        request.append(decimal: message.count)
        request.append("\r\n\r\n")
        request.append(contentsOf: message)
    }

    // MARK: The connection

    private func connect() {
        do throws(SystemError) {
            socket = try Socket(port: endpoint.port)
        } catch {
            workload.report(client: number, "\(error)")
            isFinished = true
        }
    }

    private func lose(_ why: String) {
        workload.report(client: number, "\(why), with \(inFlight.count) calls in flight")
        socket?.close()
        socket = nil
        reader = ResponseReader()
        inFlight.removeAll()
        losses += 1
        if losses > Self.lossLimit { isFinished = true } else { connect() }
    }

    private func finish() {
        socket?.close()
        socket = nil
        isFinished = true
    }
}
