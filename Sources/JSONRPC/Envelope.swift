// SPDX-License-Identifier: Apache-2.0

/// Where the parts of a message stand that a relay needs, as byte offsets into the scanned message.
///
/// It holds no bytes and is worth nothing without the message it was made from. A *raw* range is a JSON value as
/// written, quotes of a string included. White space around a value is never part of a range.
package struct Envelope: Hashable, Sendable {
    /// What a message is by JSON-RPC 2.0; one with `method` is never a response.
    package enum Kind: Hashable, Sendable {
        /// `method` is a string, and `id` is there and not null.
        case request
        /// `method` is a string; `id` is absent or null.
        case notification
        /// `result`, and neither `method` nor `error`.
        case response
        /// `error`, and no `method`; `result` may stand beside it.
        case errorResponse
        /// An array, empty or not. Its elements come from ``MessageScanner/batchElements(of:maximumDepth:)``.
        case batch
        /// An object with neither `method` nor `result` nor `error`, or whose `method` is not a string.
        case invalid
        /// A string, number, boolean or null.
        case notAnObject
    }

    package var kind: Kind = .invalid
    /// The message without white space around it.
    package var value: Range<Int> = 0..<0
    /// Raw value of `id`, in any JSON form.
    @Stretch package var id: Range<Int>?
    /// Whether `id` is there and null.
    package var idIsNull = false
    /// What stands between the quotes of `method`.
    @Stretch package var method: Range<Int>?
    package var methodHasEscapes = false
    /// Raw value of `params`.
    @Stretch package var params: Range<Int>?
    /// Raw value of `result`.
    @Stretch package var result: Range<Int>?
    /// Raw value of `error`.
    @Stretch package var error: Range<Int>?
    /// Raw value of `error.code`.
    @Stretch package var errorCode: Range<Int>?
    /// Raw value of `params._meta`.
    @Stretch package var meta: Range<Int>?
    /// Raw value of `params._meta.progressToken`: the token that a request chooses.
    @Stretch package var progressToken: Range<Int>?
    /// Raw value of `params.progressToken`: the token that `notifications/progress` answers to.
    @Stretch package var paramsProgressToken: Range<Int>?
    /// Raw value of `params.requestId` (`notifications/cancelled`).
    @Stretch package var requestID: Range<Int>?
    /// Raw value of `params.name`.
    @Stretch package var name: Range<Int>?
    /// Raw value of `params.uri`.
    @Stretch package var uri: Range<Int>?
    /// Raw value of `params.level` (`logging/setLevel`, `notifications/message`).
    @Stretch package var level: Range<Int>?
    /// Raw value of `params.taskId`.
    @Stretch package var taskID: Range<Int>?
    /// Raw value of `params.task`: the request asks to be run as a task (2025-11-25).
    @Stretch package var task: Range<Int>?
    /// Raw value of `params.cursor`.
    @Stretch package var cursor: Range<Int>?
    /// Raw value of `params.protocolVersion`, else of `result.protocolVersion` (`initialize`).
    @Stretch package var protocolVersion: Range<Int>?
    /// Raw value of `params.requestState`, else of `result.requestState` (multi-round-trip requests, 2026-07-28).
    @Stretch package var requestState: Range<Int>?
    /// Raw value of `result._meta`.
    @Stretch package var resultMeta: Range<Int>?
    /// Raw value of `result.resultType` (2026-07-28).
    @Stretch package var resultType: Range<Int>?
    /// Raw value of `params._meta["io.modelcontextprotocol/protocolVersion"]`.
    @Stretch package var metaProtocolVersion: Range<Int>?
    /// Raw value of `params._meta["io.modelcontextprotocol/clientCapabilities"]`.
    @Stretch package var metaCapabilities: Range<Int>?
    /// Raw value of `params._meta["io.modelcontextprotocol/logLevel"]`.
    @Stretch package var metaLogLevel: Range<Int>?
    /// Raw value of `io.modelcontextprotocol/subscriptionId` in `params._meta`, else in `result._meta`.
    @Stretch package var subscriptionID: Range<Int>?
    /// The first member, in the order of the message, that is spelled in another case than its own.
    ///
    /// A server may take it for the member itself; see `JSONWalker.Key` for which ones are told.
    package var variant: Member?
    /// Whether `jsonrpc` is the string "2.0".
    package var hasVersion2 = false
    /// Whether a raw CR or LF stands anywhere in the scanned bytes, around `value` included.
    ///
    /// Such a message must not reach a line-framed child as it is; see ``LineBreaks``.
    package var hasLineBreaks = false
    /// Whether a raw CR or LF stands inside `value`.
    package var hasInnerLineBreaks = false

    /// Whether the message carries the per-request envelope of 2026-07-28, whatever its value.
    package var hasModernMeta: Bool { metaProtocolVersion != nil }

    package init() {}
}
