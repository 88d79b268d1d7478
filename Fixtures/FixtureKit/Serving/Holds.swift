// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Calls that are answered when a test says so, for tests that need a call to be in flight and not for how long.
///
/// A name is released once and for all: a call that comes to hold it later is answered at once, so that nothing depends
/// on which of two messages is worked on first.
package final class Holds: Sendable {
    private enum Name {
        case held([AsyncStream<Never>.Continuation])
        case released
    }

    private let names = Mutex<[String: Name]>([:])

    package init() {}

    package var tools: [Tool] { [hold, release, Self.lastWords] }

    private var hold: Tool {
        Tool("hold", "Is answered once 'release' has named it", properties: ["name": ["type": "string"]]) {
            [self] arguments, context in
            let name = try arguments.string("name")
            let released = wait(for: name)
            context.progress(1, message: name)
            for await _ in released {}
            try Task.checkCancellation()
            return .content(.text("held \(name)"))
        }
    }

    private var release: Tool {
        Tool("release", "Has the calls answered that hold a name", properties: ["name": ["type": "string"]]) {
            [self] arguments, _ in
            let name = try arguments.string("name")
            open(name)
            return .content(.text("released \(name)"))
        }
    }

    /// The answer that is already decided on when the server is told to end.
    private static let lastWords = Tool("last_words", "Is answered when the input of the server ends") { _, context in
        let never = AsyncStream<Never> { _ in }
        for await _ in never {}
        let result = context.completing(.content(.text("last words")))
        context.connection.writer.write(Message.answer(to: context.id, .success(result)))
        throw AnswerSent()
    }

    private func wait(for name: String) -> AsyncStream<Never> {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        names.withLock { names in
            switch names[name] {
            case .released: continuation.finish()
            case .held(let others): names[name] = .held(others + [continuation])
            case nil: names[name] = .held([continuation])
            }
        }
        return stream
    }

    private func open(_ name: String) {
        let before = names.withLock { names in
            defer { names[name] = .released }
            return names[name]
        }
        guard case .held(let continuations) = before else { return }
        for continuation in continuations { continuation.finish() }
    }
}
