// SPDX-License-Identifier: Apache-2.0

/// One setting that Lodge has an opinion on: its value, and what help and the reference page say of it.
package struct Default<Value: Sendable>: Sendable {
    /// The setting's name in help and the reference page.
    package let key: String
    package let value: Value
    package let unit: DefaultUnit
    /// What it limits, as one clause.
    package let text: String
}

/// What the numbers of a setting count.
package enum DefaultUnit: String, Hashable, Sendable {
    case bytes, seconds, port, count
}

/// Every default of Lodge, typed; `DefaultsTable` is the same as rows.
///
/// Nothing else in the project writes one of these numbers down. Durations are `Duration`, sizes are bytes.
package enum Defaults {
    package static let listenPort = Default(
        key: "listen port", value: 8080, unit: .port, text: "the port that serve listens on")
    package static let bodyLimit = Default(
        key: "request body", value: 4 << 20, unit: .bytes, text: "a longer request body is refused with 413")
    package static let lineLimit = Default(
        key: "upstream line", value: 64 << 20, unit: .bytes,
        text: "a longer line of a server is not stored and fails its own call only")
    package static let responseLimit = Default(
        key: "response held in memory", value: 64 << 20, unit: .bytes, text: "a longer response fails its own call only"
    )
    package static let callTimeout = Default(
        key: "call timeout", value: Duration.seconds(300), unit: .seconds,
        text: "a call without an answer or progress for this long fails")
    package static let callAbsoluteTimeout = Default(
        key: "call timeout, absolute", value: Duration.seconds(3600), unit: .seconds,
        text: "a call fails after this long, whatever its progress")
    package static let startTimeout = Default(
        key: "start of an upstream", value: Duration.seconds(30), unit: .seconds,
        text: "a server that is not ready after this long has failed to start")
    package static let sessionIdle = Default(
        key: "session, idle", value: Duration.seconds(30 * 60), unit: .seconds,
        text: "a legacy session ends without a request or a working stream for this long")
    package static let sessionAbsolute = Default(
        key: "session, absolute", value: Duration.seconds(24 * 3600), unit: .seconds,
        text: "a legacy session ends after this long")
    package static let sessionCap = Default(
        key: "sessions", value: 10_000, unit: .count, text: "legacy sessions held at one time")
    package static let keepAlive = Default(
        key: "stream keep-alive", value: Duration.seconds(15), unit: .seconds,
        text: "a quiet event stream gets a comment this often")
    package static let writeStall = Default(
        key: "write stalled", value: Duration.seconds(60), unit: .seconds,
        text: "a stream that takes nothing for this long is closed")
    package static let answerBecomesStream = Default(
        key: "answer becomes a stream", value: Duration.seconds(15), unit: .seconds,
        text: "an answer becomes an event stream with the first other message, or after this long")
    package static let replayWindow = Default(
        key: "stream kept without its client", value: Duration.seconds(60), unit: .seconds,
        text: "an event stream whose client left can be resumed for this long")
    package static let replayEvents = Default(
        key: "events kept of a stream", value: 256, unit: .count,
        text: "the last events of a stream that can be sent again")
    package static let replayBytes = Default(
        key: "bytes kept of a stream", value: 1 << 20, unit: .bytes,
        text: "older events than these are dropped, but never the newest")
    package static let teardownAfterInput = Default(
        key: "teardown, after stdin is closed", value: Duration.seconds(1), unit: .seconds,
        text: "a server has this long to end before its process group gets TERM")
    package static let teardownAfterTerminate = Default(
        key: "teardown, after TERM", value: Duration.seconds(2), unit: .seconds,
        text: "a server has this long to end before its whole tree gets KILL")
    package static let restartDelays = Default(
        key: "restart delays", value: [1, 2, 4, 8, 15].map { Duration.seconds($0) }, unit: .seconds,
        text: "the waits before a server that ended is started again; the last one repeats")
    package static let restartReset = Default(
        key: "restart delays, reset", value: Duration.seconds(60), unit: .seconds,
        text: "a server that ran for this long starts again with the first delay")
    package static let clientUpstreamCap = Default(
        key: "client upstreams", value: 32, unit: .count,
        text: "upstreams of one server with isolation client, or calls at one time with isolation call")
    package static let poolReplicas = Default(
        key: "replicas", value: 2, unit: .count, text: "equal upstreams of one server with isolation pool, up to 64")
    package static let clientUpstreamIdle = Default(
        key: "client upstreams, idle", value: Duration.seconds(10 * 60), unit: .seconds,
        text: "an upstream with isolation client ends when nobody used it for this long")
}
