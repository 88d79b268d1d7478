// SPDX-License-Identifier: Apache-2.0

/// One event of an event stream, as its reader gets it (WHATWG HTML, 9.2.6).
package struct ServerSentEvent: Hashable, Sendable {
    /// The `event` field; `message` where there is none.
    package var type: String
    /// The `data` fields, joined by line feeds; never nil, and empty where a field was.
    package var data: [UInt8]

    package init(type: String = "message", data: [UInt8]) {
        self.type = type
        self.data = data
    }
}
