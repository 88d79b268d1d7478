// SPDX-License-Identifier: Apache-2.0

/// A remote server that is to be had on standard input and output.
///
/// It holds credentials in clear, so it is neither logged nor printed.
package struct ConnectRequest: Sendable, Equatable {
    package enum Transport: String, Sendable, CaseIterable {
        case serverSentEvents = "sse"
        case streamableHTTP = "streamablehttp"
    }

    /// How the server's certificate is judged.
    package enum Verification: Sendable, Equatable {
        case standard
        case off
        /// By the certificates in this PEM file.
        case authorities(file: String)
    }

    package struct Header: Sendable, Equatable {
        package var name: String
        package var value: String
    }

    package var url: String
    package var transport: Transport
    /// In the order in which they were given; no name stands twice, whatever its case.
    package var headers: [Header]
    package var verification: Verification
}
