// SPDX-License-Identifier: Apache-2.0

/// The command line of mcp-proxy, read but not judged as a whole.
///
/// It is read by hand because a flag may take two values, or as many as follow. Flags stand anywhere before `--`; what
/// is no flag is the command and its arguments. A long flag may be cut short while it stays unambiguous, and a value
/// may stand behind `=`.
struct MCPProxyArguments {
    /// What mcp-proxy can be asked for besides its work.
    enum Question { case help, version }

    var question: Question?
    /// The program of the default server, or a URL.
    var commandOrURL: String?
    var arguments: [String] = []
    /// The last value of each flag that takes one.
    var values: [Flag: String] = [:]
    /// Whether each flag was switched on or off last.
    var switches: [Flag: Bool] = [:]
    var headers: [(name: String, value: String)] = []
    var environment: [(name: String, value: String)] = []
    var namedServers: [(name: String, command: String)] = []
    var allowedOrigins: [String] = []
    var exposedHeaders: [String] = []

    enum Flag: String, CaseIterable {
        case help, version, headers, env, cwd, port, host, stateless, debug, transport, username, password, digest
        case passEnvironment = "pass-environment"
        case logLevel = "log-level"
        case namedServer = "named-server"
        case namedServerConfig = "named-server-config"
        case ssePort = "sse-port"
        case sseHost = "sse-host"
        case allowOrigin = "allow-origin"
        case exposeHeader = "expose-header"
        case clientID = "client-id"
        case clientSecret = "client-secret"
        case tokenURL = "token-url"
        case verifySSL = "verify-ssl"

        var hasOpposite: Bool {
            switch self {
            case .passEnvironment, .debug, .stateless, .verifySSL: true
            default: false
            }
        }
    }

    init(_ words: [String]) throws(DoorRefusal) {
        var words = words[...]
        while question == nil, let word = words.popFirst() {
            if word == "--" {
                for word in words { take(word) }
                return
            }
            if Self.isFlag(word) { try take(flag: word, &words) } else { take(word) }
        }
    }

    private mutating func take(_ word: String) {
        if commandOrURL == nil { commandOrURL = word } else { arguments.append(word) }
    }

    /// A word with a space in it is a value, as is a number below zero.
    private static func isFlag(_ word: String) -> Bool {
        word.hasPrefix("-") && word.count > 1 && !word.contains(" ") && Double(word) == nil
    }

    /// A flag as it was written.
    private struct Written {
        var flag: Flag
        var name: String
        var isOn = true
        /// What stood behind `=`.
        var attached: String?
    }

    private mutating func take(flag word: String, _ words: inout ArraySlice<String>) throws(DoorRefusal) {
        let written = try Self.parse(word)
        switch written.flag {
        case .help: question = .help
        case .version: question = .version
        case .passEnvironment, .debug, .stateless, .digest:
            guard written.attached == nil else { throw Self.usage("\(written.name) takes no value") }
            switches[written.flag] = written.isOn
        case .verifySSL: try takeVerification(written, &words)
        case .headers: headers.append(try Self.pair(written, &words))
        case .env: environment.append(try Self.pair(written, &words))
        case .namedServer:
            let (name, command) = try Self.pair(written, &words)
            namedServers.append((name, command))
        case .allowOrigin:
            if let attached = written.attached { return allowedOrigins.append(attached) }
            allowedOrigins.append(try Self.value(written, &words))
            while let next = words.first, !Self.isFlag(next) {
                allowedOrigins.append(next)
                words.removeFirst()
            }
        case .exposeHeader: exposedHeaders.append(try Self.value(written, &words))
        case .cwd, .port, .host, .transport, .username, .password, .logLevel, .namedServerConfig, .ssePort, .sseHost,
            .clientID, .clientSecret, .tokenURL:
            values[written.flag] = try Self.value(written, &words)
        }
    }

    /// `--verify-ssl` alone switches it on; a value behind it says how.
    private mutating func takeVerification(
        _ written: Written, _ words: inout ArraySlice<String>
    ) throws(DoorRefusal) {
        guard written.isOn else {
            values[.verifySSL] = "false"
            return
        }
        if let attached = written.attached {
            values[.verifySSL] = attached
            return
        }
        guard let next = words.first, !Self.isFlag(next) else {
            values[.verifySSL] = "true"
            return
        }
        values[.verifySSL] = next
        words.removeFirst()
    }

    private static func value(_ written: Written, _ words: inout ArraySlice<String>) throws(DoorRefusal) -> String {
        if let attached = written.attached { return attached }
        guard let next = words.first, !isFlag(next) else { throw usage("\(written.name) needs a value") }
        words.removeFirst()
        return next
    }

    private static func pair(
        _ written: Written, _ words: inout ArraySlice<String>
    ) throws(DoorRefusal) -> (name: String, value: String) {
        let two = Array(words.prefix(2))
        guard written.attached == nil, two.count == 2, !two.contains(where: isFlag) else {
            throw usage("\(written.name) needs two values")
        }
        words.removeFirst(2)
        return (two[0], two[1])
    }

    // MARK: Names

    private static func parse(_ word: String) throws(DoorRefusal) -> Written {
        switch word {
        case "-h": return Written(flag: .help, name: word)
        case "-H": return Written(flag: .headers, name: word)
        case "-e": return Written(flag: .env, name: word)
        default: break
        }
        let mark = word.firstIndex(of: "=")
        let name = String(word[..<(mark ?? word.endIndex)])
        let attached = mark.map { String(word[word.index(after: $0)...]) }
        let known = spellings.filter { $0.name == name }
        let meant = known.isEmpty && name.hasPrefix("--") ? spellings.filter { $0.name.hasPrefix(name) } : known
        guard let first = meant.first else {
            throw usage(
                "flag '\(name)' is not known", hints: ["what belongs to the server stands behind --"])
        }
        guard meant.count == 1 else {
            throw usage("flag '\(name)' could be \(meant.map(\.name).joined(separator: ", ")); write it in full")
        }
        return Written(flag: first.flag, name: first.name, isOn: first.isOn, attached: attached)
    }

    private static let spellings = Flag.allCases.flatMap { flag in
        [(name: "--" + flag.rawValue, flag: flag, isOn: true)]
            + (flag.hasOpposite ? [(name: "--no-" + flag.rawValue, flag: flag, isOn: false)] : [])
    }

    static func usage(_ message: String, hints: [String] = []) -> DoorRefusal {
        DoorRefusal(message, hints: hints, status: 2)
    }
}
