// SPDX-License-Identifier: Apache-2.0

import JSONRPCOracle

/// The calls that the clients of a storm make together, and what came back.
final class Workload {
    /// Calls that are not made yet.
    private(set) var remaining: Int
    private(set) var made = 0
    private(set) var answered = 0
    private(set) var forged = 0
    private(set) var failures: [String: Int] = [:]
    private(set) var longest: Duration = .zero

    let tools: [CalledTool]
    /// After which a call counts as lost.
    let limit: Duration
    /// With which reasons Lodge may answer -32000 itself.
    let acceptedReasons: Set<String>
    /// Whether the server forges answers.
    let isHostile: Bool
    private let findings: Findings
    private var random: SplitMix64

    init(
        calls: Int, tools: [CalledTool], findings: Findings, seed: UInt64, limit: Duration = .seconds(30),
        acceptedReasons: Set<String> = [], isHostile: Bool = false
    ) {
        remaining = calls
        self.tools = tools
        self.findings = findings
        self.limit = limit
        self.acceptedReasons = acceptedReasons
        self.isHostile = isHostile
        random = SplitMix64(seed: seed)
    }

    var hasMore: Bool { remaining > 0 }

    /// No further call is made.
    func close() { remaining = 0 }

    /// The next call of a client, if there is one more to make.
    /// - Parameter progressShare: one call in that many is of the tool with progress, where the server has it.
    func next(client: Int, sequence: Int, progressShare: Int, now: ContinuousClock.Instant) -> Call? {
        guard hasMore else { return nil }
        remaining -= 1
        made += 1
        guard progressShare > 0, tools.contains(.progress), random.once(in: progressShare) else {
            return Call(client: client, sequence: sequence, tool: tools[0], sent: now)
        }
        return Call(client: client, sequence: sequence, tool: .progress, steps: random.below(4), sent: now)
    }

    func take(_ verdict: Verdict, on call: Call, now: ContinuousClock.Instant) {
        longest = max(longest, call.sent.duration(to: now))
        switch verdict {
        case .own: answered += 1
        case .forged where isHostile: forged += 1
        case .failed(let reason) where acceptedReasons.contains(reason): failures[reason, default: 0] += 1
        case .failed(let reason): report(call, "failed with reason '\(reason)'")
        case .forged: report(call, "got a forged answer")
        case .stranger(let other):
            findings.count("answers to the wrong client", 1)
            report(call, "got the words of client \(other)")
        case .wrong(let text): report(call, "got \(text)")
        }
    }

    func report(_ call: Call, _ what: String) {
        findings.violation("client \(call.client), call \(call.sequence) (\(call.tool)) \(what)")
    }

    func report(client: Int, _ what: String) { findings.violation("client \(client): \(what)") }
}
