// SPDX-License-Identifier: Apache-2.0
import BrokerCore

extension Admission {
    var isAccepted: Bool { if case .accepted = self { true } else { false } }

    /// The ticket of a request that was taken.
    var ticket: CallTicket? { if case .pending(let ticket) = self { ticket } else { nil } }

    var refusal: Refusal? { if case .refused(let refusal, _) = self { refusal } else { nil } }

    /// The error of a message that was refused.
    var error: String? { if case .refused(_, let bytes) = self { bytes.text } else { nil } }
}
