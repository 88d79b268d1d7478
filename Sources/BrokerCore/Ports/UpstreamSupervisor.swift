// SPDX-License-Identifier: Apache-2.0

/// Starts and ends the processes behind upstreams; the core only says which.
///
/// Both functions return at once; what happens is reported to the upstream itself.
package protocol UpstreamSupervisor: Sendable {
    /// Runs the server for an upstream. With `restarts`, it is started again whenever it ends, until it is stopped.
    func start(_ upstream: Upstream, restarts: Bool)
    /// Tears the server of an upstream down and forgets it; idempotent.
    func stop(_ upstream: Upstream)
}
