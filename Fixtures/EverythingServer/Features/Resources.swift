// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The resources and the one resource template.
enum Resources {
    static func list(_ session: Session) -> [JSONValue] {
        var all: [JSONValue] = [
            [
                "uri": "test://static-text", "name": "static-text", "title": "Static text",
                "description": "A text that never changes", "mimeType": "text/plain", "size": 49,
                "annotations": ["audience": ["user", "assistant"], "priority": 0.5], "icons": [Media.icon],
            ],
            [
                "uri": "test://static-binary", "name": "static-binary", "title": "Static binary",
                "description": "A picture that never changes", "mimeType": "image/png",
            ],
            [
                "uri": "test://watched-resource", "name": "watched-resource", "title": "Watched resource",
                "description": "A resource to subscribe to", "mimeType": "text/plain",
                "_meta": ["everything/fixture": "watched"],
            ],
        ]
        if session.read(\.hasDynamicResource) {
            all.append(["uri": "test://dynamic-resource", "name": "dynamic-resource", "mimeType": "text/plain"])
        }
        return all
    }

    static let templates: [JSONValue] = [
        [
            "uriTemplate": "test://template/{id}/data", "name": "template", "title": "Template",
            "description": "Data for any identifier", "mimeType": "application/json",
        ]
    ]

    /// - Parameter absence: the code of the error for a resource that there is not, which differs by era.
    static func read(_ params: JSONValue, _ session: Session, absence: Int) -> Result<JSONValue, RPCError> {
        guard let uri = params["uri"]?.text else { return .failure(.invalidParams("'uri' must be a string")) }
        guard let contents = contents(of: uri, session) else {
            return .failure(RPCError(absence, "resource not found", data: ["uri": .string(uri)]))
        }
        return .success(["contents": [contents]])
    }

    private static func contents(of uri: String, _ session: Session) -> JSONValue? {
        switch uri {
        case "test://static-text": text(uri, "This is the content of the static text resource.")
        case "test://static-binary":
            ["uri": .string(uri), "mimeType": "image/png", "blob": .string(Media.picture)]
        case "test://watched-resource": text(uri, "Watched resource content")
        case "test://dynamic-resource" where session.read(\.hasDynamicResource): text(uri, "Dynamic resource content")
        default: template(uri)
        }
    }

    private static func text(_ uri: String, _ text: String, mimeType: String = "text/plain") -> JSONValue {
        ["uri": .string(uri), "mimeType": .string(mimeType), "text": .string(text)]
    }

    /// What `test://template/{id}/data` says of an identifier that is one path segment.
    private static func template(_ uri: String) -> JSONValue? {
        let prefix = "test://template/"
        let suffix = "/data"
        guard uri.hasPrefix(prefix), uri.hasSuffix(suffix), uri.utf8.count > prefix.utf8.count + suffix.utf8.count
        else { return nil }
        let id = String(uri.dropFirst(prefix.count).dropLast(suffix.count))
        guard !id.contains("/") else { return nil }
        let data: JSONValue = ["id": .string(id), "templateTest": true, "data": .string("Data for ID: \(id)")]
        return text(uri, data.json, mimeType: "application/json")
    }
}
