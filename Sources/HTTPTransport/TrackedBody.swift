// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization

/// Whether a request's connection came about, and whom to tell.
final class ConnectionSeen: Sendable {
    private let told: Atomic<Bool> = Atomic(false)
    private let opened: Atomic<Bool> = Atomic(false)
    private let tell: @Sendable () -> Void

    init(_ tell: @escaping @Sendable () -> Void) { self.tell = tell }

    var isOpen: Bool { opened.load(ordering: .acquiring) }

    func open() { opened.store(true, ordering: .releasing) }

    func wasSent() {
        if !told.exchange(true, ordering: .acquiringAndReleasing) { tell() }
    }
}

/// A body in one piece, which notices that it is asked for (there is a connection) and that it was taken.
struct TrackedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let bytes: ByteBuffer
    let seen: ConnectionSeen

    struct Iterator: AsyncIteratorProtocol {
        var bytes: ByteBuffer?
        let seen: ConnectionSeen

        mutating func next() async -> ByteBuffer? {
            guard let whole = bytes.take() else {
                seen.wasSent()
                return nil
            }
            seen.open()
            return whole
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(bytes: bytes, seen: seen) }
}
