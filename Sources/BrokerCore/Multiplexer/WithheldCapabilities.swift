// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import NIOCore

extension Multiplexer.Configuration {
    /// Capabilities of the server that clients do not get through its isolation, so that they must not be told of them.
    ///
    /// Those that a server declares for what it asks of clients are the clients' own, and stand elsewhere.
    var withheldCapabilities: [StaticString] {
        switch isolation {
        case .shared, .pool: audience == .everybody ? ["logging", "tasks"] : []
        case .call: ["tasks"]
        case .client: []
        }
    }
}

extension Multiplexer.Initialized {
    /// The result without members of `capabilities`; every other byte stays as it is.
    func withholding(_ names: [StaticString]) -> Self {
        let bytes = result.readableBytesUInt8Span
        guard case .value(let object) = JSONMembers.find("capabilities", in: bytes, object: 0..<bytes.count),
            let kept = JSONMembers.without(names, in: bytes, object: object)
        else { return self }
        var whole = Array(copying: bytes.extracting(0..<object.lowerBound)) + kept
        whole += Array(copying: bytes.extracting(object.upperBound..<bytes.count))
        var copy = self
        copy.result = ByteBuffer(bytes: whole)
        if versionRange.lowerBound >= object.upperBound {
            let shift = kept.count - object.count
            copy.versionRange = versionRange.lowerBound + shift..<versionRange.upperBound + shift
        }
        return copy
    }
}
