// SPDX-License-Identifier: Apache-2.0

@testable import ServerSentEvents

/// Reads an event stream that is all there, as the standard tells it and with no thought of chunks or limits.
struct WholeTextReader {
    private(set) var events: [ServerSentEvent] = []
    private(set) var lastEventID: String?
    private(set) var retry: Int?

    init(_ bytes: [UInt8]) {
        var text = bytes[...]
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
        var lines: [[UInt8]] = [[]]
        var previous: UInt8 = 0
        for byte in text {
            defer { previous = byte }
            if byte == 0x0A, previous == 0x0D { continue }
            if byte == 0x0A || byte == 0x0D { lines.append([]) } else { lines[lines.count - 1].append(byte) }
        }
        var data: [[UInt8]] = []
        var type = ""
        var id: String?
        // What stands behind the last line end is no line.
        for line in lines.dropLast() {
            guard !line.isEmpty else {
                lastEventID = id
                if !data.isEmpty {
                    events.append(
                        ServerSentEvent(
                            type: type.isEmpty ? "message" : type, data: Array(data.joined(separator: [0x0A]))))
                }
                (data, type) = ([], "")
                continue
            }
            let colon = line.firstIndex(of: 0x3A) ?? line.count
            var value = Array(line[min(colon + 1, line.count)...])
            if value.first == 0x20 { value.removeFirst() }
            let string = String(decoding: value, as: UTF8.self)
            switch String(decoding: line[..<colon], as: UTF8.self) {
            case "data": data.append(value)
            case "event": type = string
            case "id": if !value.contains(0) { id = string }
            case "retry": if !string.isEmpty, string.allSatisfy({ "0123456789".contains($0) }) { retry = Int(string) }
            default: break
            }
        }
    }
}
