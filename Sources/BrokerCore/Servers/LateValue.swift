// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A value that is set once, right after its holder was made, because it needs its holder.
final class LateValue<Value: Sendable>: Sendable {
    private let storage = Mutex<Value?>(nil)

    var value: Value? { storage.withLock { $0 } }

    func set(_ value: Value) { storage.withLock { $0 = value } }
}
