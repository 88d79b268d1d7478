// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The smallest picture and sound that are what they say they are.
enum Media {
    /// A PNG of one red pixel, in Base64.
    static let picture =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"
    /// A WAV of four silent samples, in Base64.
    static let sound = "UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQQAAACAgICA"

    static let image: JSONValue = ["type": "image", "data": .string(picture), "mimeType": "image/png"]
    static let audio: JSONValue = ["type": "audio", "data": .string(sound), "mimeType": "audio/wav"]
    static let icon: JSONValue = [
        "src": .string("data:image/png;base64,\(picture)"), "mimeType": "image/png", "sizes": ["1x1"],
    ]
}
