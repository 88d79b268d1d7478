// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// Somebody who takes part in a storm: one connection at a time, and what is done on it.
protocol Participant: AnyObject {
    /// The connection that is open now.
    var socket: Socket? { get }
    /// What poll(2) is to look for.
    var events: Int32 { get }
    var isFinished: Bool { get }
    /// Something happened on the connection.
    func ready(now: ContinuousClock.Instant)
    /// Called every few milliseconds, whatever happens.
    func tick(now: ContinuousClock.Instant)
}

/// Lets participants act until all have finished: one thread and one poll(2) for all of them.
enum Storm {
    /// How often everybody is ticked, and `step` is called.
    private static let interval: Duration = .milliseconds(2)

    /// - Parameter step: what else is to be done as time goes by.
    static func run(_ participants: [any Participant], step: (ContinuousClock.Instant) -> Void) {
        var entries: [pollfd] = []
        var nextTick = ContinuousClock.now
        while participants.contains(where: { !$0.isFinished }), !Interruption.isAsked {
            entries.removeAll(keepingCapacity: true)
            for participant in participants {
                // poll(2) passes over descriptors below zero.
                let number = participant.isFinished ? -1 : participant.socket?.descriptor.number ?? -1
                entries.append(pollfd(fd: number, events: Int16(participant.events), revents: 0))
            }
            // The entries are an array of that length for the time of the call.
            _ = unsafe poll(&entries, nfds_t(entries.count), Self.interval.wholeMilliseconds)
            let now = ContinuousClock.now
            for (place, entry) in entries.enumerated() where entry.revents != 0 { participants[place].ready(now: now) }
            guard now >= nextTick else { continue }
            nextTick = now + interval
            for participant in participants where !participant.isFinished { participant.tick(now: now) }
            step(now)
        }
    }
}
