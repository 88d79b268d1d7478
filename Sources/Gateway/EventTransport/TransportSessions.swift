// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The open streams of the 2024-11-05 transport of one gateway, by their ids.
final class TransportSessions: Sendable {
    private let open = Mutex<[String: TransportSession]>([:])

    /// 128 random bits, so that nobody finds another client's id.
    static func makeID() -> String { hexadecimal(.random(in: .min ... .max)) + hexadecimal(.random(in: .min ... .max)) }

    private static func hexadecimal(_ bits: UInt64) -> String {
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// False where as many are open as may be.
    func add(_ session: TransportSession, limit: Int) -> Bool {
        open.withLock { open in
            guard open.count < limit else { return false }
            open[session.id] = session
            return true
        }
    }

    func remove(_ id: String) {
        // The session is let go of outside the lock, since it may be the last to hold others.
        _ = open.withLock { $0.removeValue(forKey: id) }
    }

    subscript(id: String) -> TransportSession? { open.withLock { $0[id] } }
}
