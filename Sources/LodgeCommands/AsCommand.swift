// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BrokerDaemon
import Foundation
import FrontDoors
import HTTPTransport
import LodgeConfiguration
import Logging
import Upstreams

/// Lodge in the place of another program: that one's own command line, by its own rules.
struct AsCommand: AsyncParsableCommand {
    private static let names = FrontDoor.allCases.map(\.rawValue)

    static let configuration = CommandConfiguration(
        commandName: "as",
        abstract: "Stand in for another program, by its own flags and variables.",
        usage: "lodge as \(names.joined(separator: "|")) [<argument> ...]",
        discussion: "The same happens where lodge is started under the other program's name, as by a symbolic link. "
            + "--help behind the name lists what that program takes.")

    @Argument(parsing: .captureForPassthrough, help: "The program's name, and what is given to it.")
    var words: [String] = []

    func run() async throws {
        if words.first == "--help" || words.first == "-h" { throw CleanExit.helpRequest(self) }
        guard let name = words.first, let door = FrontDoor(rawValue: name) else {
            throw CommandFailure(
                message: words.first.map { "there is no front door '\($0)'" } ?? "no front door",
                hints: ["the front doors are \(Self.names.joined(separator: " and "))"], status: 2)
        }
        switch try request(door) {
        case .show(let text): print(text)
        case .serve(let service): try await serve(service)
        case .healthcheck(let probe):
            guard await probe.ask(within: .seconds(3)) != 200 else { return }
            throw CommandFailure(message: "the server at \(probe.host):\(probe.port) cannot be used")
        case .connect(let request): try await connect(request)
        }
    }

    private func request(_ door: FrontDoor) throws -> DoorRequest {
        do throws(DoorRefusal) {
            return try door.request(
                Array(words.dropFirst()), environment: ProcessInfo.processInfo.environment, version: Version.current
            ) { path in
                // Not by FileManager, which does not read pipes, such as a shell's <(…).
                guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() ?? Data() else {
                    return nil
                }
                return Array(data)
            }
        } catch {
            if let help = error.help { _ = StandardErrorWriter.shared.write(Array((help + "\n").utf8)) }
            throw CommandFailure(message: error.message, hints: error.hints, status: error.status)
        }
    }

    private func connect(_ request: ConnectRequest) async throws {
        let redactor = SharedRedactor()
        let settings = ConnectSettings(request, environment: ProcessInfo.processInfo.environment)
        let session = ConnectSession(settings, redactor: redactor, logger: logger(at: .info, redactor))
        do {
            throw ExitCode(try await session.run())
        } catch let failure as ConnectSession.Failure {
            throw CommandFailure(message: failure.message)
        }
    }

    private func logger(at level: Logger.Level, _ redactor: SharedRedactor) -> Logger {
        Logger(label: "lodge") { label in
            StandardErrorLog(label: label, level: level, format: .text, redaction: redactor)
        }
    }

    private func serve(_ service: DoorService) async throws {
        let redactor = SharedRedactor()
        let logger = logger(at: service.logLevel, redactor)
        for warning in service.warnings { logger.warning("\(warning)") }
        do {
            try await ServeSession(service.settings, redactor: redactor, logger: logger).run(service.announcement)
        } catch let error as ServeSession.Failure {
            // Its own hints name flags of `serve`.
            throw CommandFailure(message: error.message, hints: error.hints.isEmpty ? [] : [service.listenHint])
        }
    }
}

extension ConnectSettings {
    /// What a door asks for, in the words of `lodge connect`.
    fileprivate init(_ request: ConnectRequest, environment: [String: String]) {
        self.init(url: request.url, environment: environment)
        transport = request.transport == .serverSentEvents ? .sse : .http
        headers = request.headers.map { HTTPField($0.name, $0.value) }
        verification =
            switch request.verification {
            case .standard: .system
            case .off: .off
            case .authorities(let file): .authorities(file: file)
            }
    }
}
