// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How many descriptors this process may have open at once.
enum DescriptorLimit {
    /// Enough for 10,000 sessions with a stream each, and harmless to what lodge starts, which inherits it.
    private static let wanted: rlim_t = 65_536

    /// Raises the limit towards what the system allows, since a usual one of 1,024 is a thousand clients.
    ///
    /// It never lowers it. Where it cannot be raised, lodge serves as many clients as there are descriptors.
    static func raise() {
        var limit = rlimit()
        // Sound: both calls use the local only while they run.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let target = min(limit.rlim_max, wanted)
        guard target > limit.rlim_cur else { return }
        limit.rlim_cur = target
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
