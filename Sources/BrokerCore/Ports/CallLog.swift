// SPDX-License-Identifier: Apache-2.0

/// What is kept of one finished call; never its arguments or its result.
package struct CallRecord: Sendable {
    package enum Outcome: String, Sendable, CaseIterable {
        case answered, error, refused, failed, cancelled
        case timedOut = "timed-out"
    }

    package var server: String
    package var method: String
    /// The tool, prompt or resource asked for, where the method names one.
    package var name: String?
    package var principal: String
    package var duration: Duration
    package var outcome: Outcome
    package var answerBytes: Int
}

/// Takes records of finished calls; it must return at once and may drop what it cannot take.
package protocol CallLog: Sendable {
    func record(_ record: CallRecord)
}
