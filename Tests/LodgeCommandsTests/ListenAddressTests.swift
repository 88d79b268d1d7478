// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import LodgeCommands

@Suite("An address to listen on")
struct ListenAddressTests {
    @Test(
        "HOST:PORT, [IPV6]:PORT and PORT are taken",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1", 8080), ("localhost:0", "localhost", 0), ("8080", "127.0.0.1", 8080),
            (":8080", "0.0.0.0", 8080), ("[::1]:8080", "::1", 8080), ("[::]:65535", "::", 65535),
            ("example.com:1", "example.com", 1),
        ])
    func taken(text: String, host: String, port: Int) {
        #expect(ListenAddress(argument: text) == ListenAddress(host: host, port: port))
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "localhost", "localhost:", ":", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "::1", "::1:8080",
            "http://localhost:8080", "[::1]", "[::1", "127.0.0.1: 80",
        ])
    func refused(text: String) {
        #expect(ListenAddress(argument: text) == nil)
    }

    @Test("help shows an address as the flag takes it", arguments: ["127.0.0.1:8080", "[::1]:8080"])
    func description(text: String) {
        #expect(ListenAddress(argument: text)?.defaultValueDescription == text)
    }

    @Test(
        "only what this machine alone can reach counts as loopback",
        arguments: [
            ("127.0.0.1", true), ("127.255.0.9", true), ("localhost", true), ("::1", true), ("0.0.0.0", false),
            ("::", false), ("10.0.0.1", false), ("127.0.0.1.example.com", false), ("127.a.example.com", false),
            ("127.0.0.256", false), ("127.0.0.", false), ("localhost.example.com", false), ("", false),
        ])
    func loopback(host: String, isLoopback: Bool) {
        #expect(ListenAddress(host: host, port: 1).isLoopback == isLoopback)
    }
}
