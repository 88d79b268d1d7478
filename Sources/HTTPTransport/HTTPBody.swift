// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
package import NIOCore

/// The body of a response, chunk by chunk as it arrives; it can be read once.
///
/// A reader that waits holds up the server: at most a few chunks are kept for it.
package struct HTTPBody: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    package typealias Failure = HTTPTransportError

    let body: HTTPClientResponse.Body

    package struct Iterator: AsyncIteratorProtocol {
        var chunks: HTTPClientResponse.Body.AsyncIterator

        package mutating func next() async throws(HTTPTransportError) -> ByteBuffer? {
            do {
                let chunk = try await chunks.next()
                if chunk == nil, Task.isCancelled { throw CancellationError() }
                return chunk
            } catch {
                throw HTTPTransportError(error, isConnected: true)
            }
        }
    }

    package func makeAsyncIterator() -> Iterator { Iterator(chunks: body.makeAsyncIterator()) }

    /// The whole body; nil where it is longer than the limit, in bytes.
    package func collect(upTo limit: Int) async throws(HTTPTransportError) -> ByteBuffer? {
        var whole = ByteBuffer()
        var chunks = makeAsyncIterator()
        while var chunk = try await chunks.next() {
            guard whole.readableBytes + chunk.readableBytes <= limit else { return nil }
            if whole.readableBytes == 0 { whole = chunk } else { whole.writeBuffer(&chunk) }
        }
        return whole
    }
}
