// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import NIOCore
import NIOEmbedded
import Secrets
import Synchronization
import Testing

@testable import BrokerCore
@testable import Upstreams

/// The way from a child's standard output to its callers, with a test in the child's place.
///
/// The child itself is there only to keep what was no message; it is ended when the body returns.
final class OutputHarness {
    let channel = EmbeddedChannel()
    let child: ChildProcess
    /// How often the end of the output was told.
    let endings = Count()
    private let owner = RecordingOwner()
    private let upstream: Upstream

    final class Count: Sendable {
        private let state = Mutex(0)
        var value: Int { state.withLock { $0 } }
        func increase() { state.withLock { $0 += 1 } }
    }

    private init(lineLimit: Int) throws {
        child = try ChildProcess.spawn(ChildSpecification(executable: "/bin/cat", environment: [:]))
        upstream = owner.upstream()
        let reader = ChildLineReader(
            upstream: upstream, child: child, redactor: Redactor([]), logger: .quiet, lineLimit: lineLimit)
        try channel.pipeline.syncOperations.addHandler(
            ChildOutputHandler(reader: reader, lineLimit: lineLimit) { [endings] in endings.increase() })
        upstream.generationStarted(ForgetfulConnection(), timer: StoppedTimer())
        try write(
            #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"#
                + #""serverInfo":{"name":"fake","version":"1"}}}"# + "\n")
        try #require(upstream.inspect { $0.isReady })
    }

    static func with(lineLimit: Int = 256, _ body: (OutputHarness) throws -> Void) async throws {
        let harness = try OutputHarness(lineLimit: lineLimit)
        let outcome = Result { try body(harness) }
        await harness.child.teardown()
        try outcome.get()
    }

    /// What the child writes in one piece.
    func write(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }
    func write(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    /// Sends a call of a client to the child; answers the id under which the child sees it.
    func call(id: Int, _ sink: RecordingSink) throws -> String {
        let message = try ClientMessage.of(
            #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"echo"}}"#)
        return String(try #require(upstream.request(message, session: SessionKey(number: 1), sink: sink)))
    }
}

/// The bodies that clients and servers see in these tests.
enum Body {
    static func answer(_ id: some CustomStringConvertible, _ result: String = "{}") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#
    }

    static func unusable(_ id: Int, _ problem: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32000,"message":"server 'files' answered with \#(problem)","#
            + #""data":{"server":"files","reason":"unusable-answer","#
            + #""hint":"the answer was dropped; this is a fault of the server"}}}"#
    }
}
