// SPDX-License-Identifier: Apache-2.0

/// The members of a message whose places the scanner reports, and which it therefore refuses to see twice.
///
/// Parsers disagree on which of two equal members counts. Lodge routes by the one it saw; a child that reads the other
/// would act on a message that was never checked. Members that are not in this list may repeat, as RFC 8259 section 4
/// allows.
package enum Member: UInt8, Sendable, CaseIterable {
    case jsonrpc, id, method, params, result, error
    case paramsMeta, paramsProgressToken, paramsRequestID, paramsName, paramsURI, paramsLevel, paramsTaskID
    case paramsProtocolVersion, paramsCursor, paramsRequestState, paramsTask
    case metaProgressToken, metaProtocolVersion, metaCapabilities, metaLogLevel, metaSubscriptionID
    case resultMeta, resultProtocolVersion, resultType, resultRequestState, resultMetaSubscriptionID
    case errorCode

    /// The way to the member from the top of the message, as error texts spell it.
    package var path: String {
        switch self {
        case .jsonrpc: "jsonrpc"
        case .id: "id"
        case .method: "method"
        case .params: "params"
        case .result: "result"
        case .error: "error"
        case .paramsMeta: "params._meta"
        case .paramsProgressToken: "params.progressToken"
        case .paramsRequestID: "params.requestId"
        case .paramsName: "params.name"
        case .paramsURI: "params.uri"
        case .paramsLevel: "params.level"
        case .paramsTaskID: "params.taskId"
        case .paramsProtocolVersion: "params.protocolVersion"
        case .paramsCursor: "params.cursor"
        case .paramsRequestState: "params.requestState"
        case .paramsTask: "params.task"
        case .metaProgressToken: "params._meta.progressToken"
        case .metaProtocolVersion: "params._meta.io.modelcontextprotocol/protocolVersion"
        case .metaCapabilities: "params._meta.io.modelcontextprotocol/clientCapabilities"
        case .metaLogLevel: "params._meta.io.modelcontextprotocol/logLevel"
        case .metaSubscriptionID: "params._meta.io.modelcontextprotocol/subscriptionId"
        case .resultMeta: "result._meta"
        case .resultProtocolVersion: "result.protocolVersion"
        case .resultType: "result.resultType"
        case .resultRequestState: "result.requestState"
        case .resultMetaSubscriptionID: "result._meta.io.modelcontextprotocol/subscriptionId"
        case .errorCode: "error.code"
        }
    }

    /// The member's place in a set of members seen so far.
    var bit: UInt32 { 1 << UInt32(rawValue) }
}
