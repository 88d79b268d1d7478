// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Whether somebody asked this program to end; it then stops what it started and tells what it saw so far.
enum Interruption {
    private static let asked = Atomic(false)

    static var isAsked: Bool { asked.load(ordering: .relaxed) }

    static func watch() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // The handler stores one word, which is safe at any moment.
            _ = signal(number) { _ in Interruption.asked.store(true, ordering: .relaxed) }
        }
    }
}
