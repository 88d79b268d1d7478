// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Cuts lists into pages. A cursor names the page that follows and means nothing to a client.
struct Paging {
    /// Items on a page; nil for one page.
    let size: Int?

    init(size: Int?) { self.size = size.flatMap { $0 > 0 ? $0 : nil } }

    /// The page a request asks for, as the result with the items under `name`.
    func page(_ items: [JSONValue], as name: String, _ params: JSONValue) -> Result<JSONValue, RPCError> {
        var start = 0
        if let cursor = params["cursor"] {
            guard let text = cursor.text, text.hasPrefix("after-"), let place = Int(text.dropFirst(6)),
                place > 0, place < items.count
            else { return .failure(.invalidParams("unknown cursor '\(cursor.text ?? cursor.json)'")) }
            start = place
        }
        let end = min(start + (size ?? items.count), items.count)
        var result: JSONValue = [:]
        result[name] = .array(Array(items[start..<end]))
        if end < items.count { result["nextCursor"] = .string("after-\(end)") }
        return .success(result)
    }
}
