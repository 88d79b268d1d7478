// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// Where an HTTP server is: `http://HOST[:PORT]/PATH`, without TLS.
struct HTTPAddress {
    let host: String
    let port: String
    let path: String

    /// What the `Host` header says.
    let authority: String

    init?(_ url: String) {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst(7)
        authority = String(rest.prefix { $0 != "/" })
        path = authority.count == rest.count ? "/" : String(rest.dropFirst(authority.count))
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let port = authority[authority.index(after: end)...]
            self.port = port.isEmpty ? "80" : String(port.dropFirst())
        } else {
            let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = String(parts[0])
            port = parts.count > 1 ? String(parts[1]) : "80"
        }
        guard !host.isEmpty, UInt16(port) != nil else { return nil }
    }

    /// Opens a connection; the caller closes it.
    func connect() throws(SystemError) -> Descriptor {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // getaddrinfo gives a list that belongs to the caller until freeaddrinfo; it is not used behind that.
        guard unsafe getaddrinfo(host, port, &hints, &list) == 0 else {
            throw SystemError("getaddrinfo \(host)", ENOENT)
        }
        defer { unsafe freeaddrinfo(list) }
        var failure = ECONNREFUSED
        var next = unsafe list
        while let entry = unsafe next?.pointee {
            let number = unsafe socket(entry.ai_family, entry.ai_socktype, entry.ai_protocol)
            if number >= 0 {
                if unsafe Glibc.connect(number, entry.ai_addr, entry.ai_addrlen) == 0 { return Descriptor(number) }
                failure = errno
                _ = Glibc.close(number)
            }
            unsafe next = entry.ai_next
        }
        throw SystemError("connect to \(authority)", failure)
    }
}
