// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// How a lodge was before a storm, to which it has to come back.
struct Baseline {
    private let descriptors: Int
    private let kibibytes: Int
    /// Sessions that the storm opened and cannot end, since it never learnt their ids.
    var unknownSessions = 0

    /// Lets a number of connections come and go first, so that what is made once is there.
    init(_ lodge: RunningLodge, warmUp connections: Int) throws {
        let all = try (0..<connections).map { _ in try Conversation(lodge.endpoint) }
        for connection in all { try connection.endSession(connection.openSession()) }
        for connection in all { connection.close() }
        descriptors = lodge.settledDescriptors()
        kibibytes = lodge.residentKibibytes
    }

    /// Waits until the lodge is as it was, and reports what is not.
    func compare(with lodge: RunningLodge, _ findings: Findings) throws {
        let end = ContinuousClock.now + RunningLodge.patience
        var status = try lodge.status()
        while status.callsInFlight > 0 || status.sessions > unknownSessions || status.state != "running"
            || lodge.descriptors > descriptors
        {
            guard ContinuousClock.now < end else { break }
            ProcessState.sleep(milliseconds: 50)
            status = try lodge.status()
        }
        if status.callsInFlight > 0 {
            findings.violation("\(status.callsInFlight) calls are in flight, and nobody waits")
        }
        if status.sessions > unknownSessions {
            findings.violation("\(status.sessions) sessions are left; at most \(unknownSessions) may be")
        }
        if status.state != "running" { findings.violation("the server is not running: \(status)") }
        let now = lodge.settledDescriptors()
        if now > descriptors { findings.violation("\(now) descriptors are open, \(descriptors) were before") }
        let zombies = ProcessTable.children(of: lodge.pid).filter(\.isZombie)
        if !zombies.isEmpty { findings.violation("lodge has not collected \(zombies.map { "\($0.name) \($0.pid)" })") }
        let children = ProcessTable.children(of: lodge.pid).filter { !$0.isZombie }
        if children.count > 2 { findings.violation("lodge has \(children.count) children, not a guard and a server") }
        findings.count("descriptors left", max(0, now - descriptors))
        findings.count("sessions left", max(0, status.sessions - unknownSessions))
        if unknownSessions > 0 { findings.count("sessions whose id was lost on the way", status.sessions) }
        findings.count("calls left in flight", status.callsInFlight)
        let (before, after) = (kibibytes / 1_024, lodge.residentKibibytes / 1_024)
        findings.note("memory of lodge before, after", "\(before) MiB, \(after) MiB")
    }
}
