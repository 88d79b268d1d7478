// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOHTTP1

/// The head of a message that was admitted, so that the next one on its connection with the same head need not be
/// read again: clients repeat theirs with every call, but for the length of the body.
///
/// It is sound because everything that a head is judged by stands in it or in the gateway's configuration, but for the
/// grants, which can be revoked and expire: it is worth nothing after a change of theirs. A connection may be shared by
/// several clients behind a proxy, so the token is compared in a time that says nothing about it.
struct AdmittedHead {
    private let uri: String
    private let headers: HTTPHeaders
    private let lengthPlace: Int
    private let tokenPlace: Int?
    let request: RequestInHand

    /// - Parameter request: what was found out about the request, without a body.
    init?(_ head: HTTPRequestHead, _ request: RequestInHand) {
        guard let place = Self.onlyLength(in: head.headers) else { return nil }
        uri = head.uri
        headers = head.headers
        lengthPlace = place
        tokenPlace =
            head.headers.enumerated().first { _, field in
                ASCIIText.equals(field.name.utf8, lowercase: "authorization")
            }?.offset
        self.request = request
    }

    /// The length of the body of a head that is equal in everything else; nil where it has to be read.
    ///
    /// - Parameter grants: the present state of the grants.
    func length(of head: HTTPRequestHead, grants: UInt64) -> Int? {
        guard grants == request.grants, head.method == .POST, head.version == .http1_1,
            head.headers.count == headers.count, head.uri == uri
        else { return nil }
        if let expiry = request.grantExpiry, expiry <= .now { return nil }
        var length: Int?
        var mine = headers.makeIterator()
        for (place, field) in head.headers.enumerated() {
            guard let known = mine.next(), known.name == field.name else { return nil }
            if place == lengthPlace {
                length = Int(field.value)
            } else if place == tokenPlace {
                guard Self.isSameSecret(known.value, field.value) else { return nil }
            } else if known.value != field.value {
                return nil
            }
        }
        return length
    }

    /// Where the one Content-Length stands; nil without one, or with two.
    private static func onlyLength(in headers: HTTPHeaders) -> Int? {
        var found: Int?
        for (place, field) in headers.enumerated() where ASCIIText.equals(field.name.utf8, lowercase: "content-length")
        {
            guard found == nil else { return nil }
            found = place
        }
        return found
    }

    /// Compares without a branch on the contents; that lengths differ is no secret.
    private static func isSameSecret(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left.utf8, right.utf8) { difference |= one ^ other }
        return difference == 0
    }
}
