// SPDX-License-Identifier: Apache-2.0

/// What the work on one request may use.
package struct RequestContext: Sendable {
    package let id: JSONValue
    package let progressToken: JSONValue?
    /// Members that every notification of this work carries in `_meta`.
    package var meta: JSONValue?
    /// What the server adds to every result, for work that writes its answer itself.
    package var completing: @Sendable (JSONValue) -> JSONValue = { $0 }
    package let connection: Connection

    package init(id: JSONValue, progressToken: JSONValue?, connection: Connection) {
        self.id = id
        self.progressToken = progressToken
        self.connection = connection
    }

    /// Reports progress, if the client asked for it.
    package func progress(_ progress: Double, of total: Double? = nil, message: String? = nil) {
        guard let progressToken else { return }
        var params: JSONValue = ["progressToken": progressToken, "progress": Self.number(progress)]
        params["total"] = total.map(Self.number)
        params["message"] = message.map { .string($0) }
        params["_meta"] = meta
        connection.notify("notifications/progress", params)
    }

    private static func number(_ value: Double) -> JSONValue {
        Int(exactly: value).map { .integer($0) } ?? .number("\(value)")
    }
}
