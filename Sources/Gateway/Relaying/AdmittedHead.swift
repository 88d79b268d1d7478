// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOHTTP1

/// The head of a message that was admitted, so that the next one on its connection with the same head need not be
/// read again: clients repeat theirs with every call, but for the length of the body.
///
/// It is sound because everything that a head is judged by stands in it or in the gateway's configuration, but for the
/// grants, which can be revoked and expire: it is worth nothing after a change of theirs.
struct AdmittedHead {
    private let uri: String
    private let headers: HTTPHeaders
    private let lengthPlace: Int
    /// The state of the grants under which it was admitted.
    private let grants: UInt64
    private let expiry: ContinuousClock.Instant?
    let request: RequestInHand

    /// - Parameter request: what was found out about the request, without a body.
    init?(_ head: HTTPRequestHead, _ request: RequestInHand, grants: UInt64, expiry: ContinuousClock.Instant?) {
        guard let place = Self.onlyLength(in: head.headers) else { return nil }
        uri = head.uri
        headers = head.headers
        lengthPlace = place
        self.grants = grants
        self.expiry = expiry
        self.request = request
    }

    /// The length of the body of a head that is equal in everything else; nil where it has to be read.
    func length(of head: HTTPRequestHead, grants: UInt64) -> Int? {
        guard grants == self.grants, head.method == .POST, head.version == .http1_1, head.headers.count == headers.count,
            head.uri == uri
        else { return nil }
        if let expiry, expiry <= .now { return nil }
        var length: Int?
        var mine = headers.makeIterator()
        for (place, field) in head.headers.enumerated() {
            guard let known = mine.next(), known.name == field.name else { return nil }
            if place == lengthPlace {
                length = Int(field.value)
            } else if known.value != field.value {
                return nil
            }
        }
        return length
    }

    /// Where the one Content-Length stands; nil without one, or with two.
    private static func onlyLength(in headers: HTTPHeaders) -> Int? {
        var found: Int?
        for (place, field) in headers.enumerated() where ASCIIText.equals(field.name.utf8, lowercase: "content-length") {
            guard found == nil else { return nil }
            found = place
        }
        return found
    }
}
