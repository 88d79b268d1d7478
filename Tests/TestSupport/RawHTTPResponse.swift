// SPDX-License-Identifier: Apache-2.0

/// A response as it stood on the wire.
package struct RawHTTPResponse: Sendable {
    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    package let status: Int
    package let headers: [Header]
    package var body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The values of a header, joined by commas; nil where it is not there.
    package subscript(name: String) -> String? {
        let values = headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

/// One server-sent event, or a comment.
package struct RawEvent: Sendable, Equatable {
    /// The `event` field; nil where there is none.
    package var name: String?
    /// The `data` field; nil for a comment.
    package var data: String?
    /// The `id` field.
    package var id: String?
    /// The `retry` field.
    package var retry: String?
    /// What stands behind the colon of a comment.
    package var comment: String?

    /// Reads the lines of one event.
    package init(block: Substring) {
        for line in block.split(separator: "\n") {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let rest = colon == line.endIndex ? "" : line[line.index(after: colon)...]
            let value = String(rest.first == " " ? rest.dropFirst() : rest[...])
            switch line[..<colon] {
            case "": comment = value
            case "event": name = value
            case "data": data = data.map { $0 + "\n" + value } ?? value
            case "id": id = value
            case "retry": retry = value
            default: break
            }
        }
    }
}

package enum RawHTTPError: Error, Sendable, Equatable {
    /// Nothing came within the time limit.
    case timedOut(waitingFor: String)
    /// The connection ended before what was asked for was there.
    case closed(waitingFor: String)
    /// What came is not HTTP/1.1.
    case malformed(String)
    /// The connection has no socket whose options could be set.
    case noSocket
}
