// SPDX-License-Identifier: Apache-2.0

/// What a server asks of its client in one request.
package struct Wish: Sendable {
    package var method: String
    package var params: JSONValue?
    /// The id that the request wants to have; nil for the next number.
    package var name: String?

    package init(_ method: String, _ params: JSONValue? = nil, name: String? = nil) {
        self.method = method
        self.params = params
        self.name = name
    }
}
