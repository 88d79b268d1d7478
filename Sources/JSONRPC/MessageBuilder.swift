// SPDX-License-Identifier: Apache-2.0

/// Writes Lodge's own messages, on one line each.
///
/// Ids, params, results and error data go in as they are: they must be JSON and, where the message goes to a
/// line-framed peer, without line breaks (``LineBreaks``).
package enum MessageBuilder {
    package static func result(id: RawID, _ result: [UInt8]) -> [UInt8] {
        var bytes = start(capacity: id.count + result.count)
        append(id, to: &bytes)
        bytes.append(contentsOf: #","result":"#.utf8)
        bytes.append(contentsOf: result)
        bytes.append(.closeBrace)
        return bytes
    }

    /// - Parameter id: the id of the call that failed; nil is written as null, for a message whose id is not known.
    package static func error(id: RawID?, code: Int, message: String, data: [UInt8]? = nil) -> [UInt8] {
        var bytes = start(capacity: (id?.count ?? 4) + message.utf8.count + (data?.count ?? 0) + 40)
        append(id ?? RawID(Array("null".utf8)), to: &bytes)
        bytes.append(contentsOf: #","error":{"code":\#(code),"message":"#.utf8)
        JSONString.encode(message, into: &bytes)
        if let data {
            bytes.append(contentsOf: #","data":"#.utf8)
            bytes.append(contentsOf: data)
        }
        bytes.append(contentsOf: "}}".utf8)
        return bytes
    }

    package static func request(id: RawID, method: String, params: [UInt8]? = nil) -> [UInt8] {
        var bytes = start(capacity: id.count + method.utf8.count + (params?.count ?? 0) + 20)
        append(id, to: &bytes)
        append(method: method, params, to: &bytes)
        return bytes
    }

    package static func notification(method: String, params: [UInt8]? = nil) -> [UInt8] {
        var bytes = start(capacity: method.utf8.count + (params?.count ?? 0) + 20)
        append(method: method, params, to: &bytes)
        return bytes
    }

    private static func start(capacity: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity + 40)
        bytes.append(contentsOf: #"{"jsonrpc":"2.0""#.utf8)
        return bytes
    }

    private static func append(_ id: RawID, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #","id":"#.utf8)
        id.withSpan { bytes.append($0, 0..<$0.count) }
    }

    private static func append(method: String, _ params: [UInt8]?, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #","method":"#.utf8)
        JSONString.encode(method, into: &bytes)
        if let params {
            bytes.append(contentsOf: #","params":"#.utf8)
            bytes.append(contentsOf: params)
        }
        bytes.append(.closeBrace)
    }
}
