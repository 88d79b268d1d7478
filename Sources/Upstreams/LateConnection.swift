// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Closes a connection that does not exist yet when its closer has to be named.
final class LateConnection: Sendable {
    private struct State {
        var connection: ChildConnection?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Closes the child's standard input, now or as soon as there is a connection.
    var closeInput: @Sendable () -> Void {
        {
            let connection = self.state.withLock { state in
                state.isClosed = true
                return state.connection
            }
            connection?.closeInput()
        }
    }

    func set(_ connection: ChildConnection) {
        let isClosed = state.withLock { state in
            state.connection = connection
            return state.isClosed
        }
        if isClosed { connection.closeInput() }
    }
}
