// SPDX-License-Identifier: Apache-2.0

/// A JSON value (RFC 8259) that knows where it stands, for files that people write.
///
/// It is not for messages: it copies every string and is read once at a start. Objects keep their members in order,
/// with duplicates, so that the reader can refuse them. `offset` counts bytes from the start of the file.
struct PositionedJSON {
    struct Member {
        var key: String
        var offset: Int
        var value: PositionedJSON
    }

    enum Content {
        case null
        case boolean(Bool)
        /// As written.
        case number(String)
        case string(String)
        case array([PositionedJSON])
        case object([Member])
    }

    var content: Content
    var offset: Int

    /// What the value is, as an error says it.
    var kind: String {
        switch content {
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
