// SPDX-License-Identifier: Apache-2.0

/// Is told when a server can be used and when it no longer can.
///
/// Calls come from any thread, outside every lock of the core, and must not block. A server in isolation `client` is
/// up once it was proved and is never reported down: its clients' upstreams end each for itself. In `pool` and
/// `call` it is the catalog that is meant.
package protocol ServerObserver: AnyObject, Sendable {
    /// The server has answered its handshake, for the first time or after it had ended.
    func serverCameUp(_ name: String)
    /// The server ended, or could not be started.
    func serverWentDown(_ name: String)
}
