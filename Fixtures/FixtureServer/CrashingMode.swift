// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// `crashing --at POINT [--signal] [--once FILE]`: ends with status 3, or by SIGKILL, at one point of its life.
///
/// With `--once` it does so only while FILE does not exist, and creates it: a restarted server works.
@MainActor
enum CrashingMode {
    enum Point: String, CaseIterable {
        case start
        case beforeInitializeAnswer = "before-initialize-answer"
        case afterInitializeAnswer = "after-initialize-answer"
        case initialized
        case toolsList = "tools-list"
        case duringCall = "during-call"
        /// Half of the line of an answer is written.
        case midAnswer = "mid-answer"
        case afterCall = "after-call"
        /// A call closes standard output, and the process lives on and reads.
        case stdoutClose = "stdout-close"
        /// A call closes standard input, and the process lives on with its output open.
        case stdinClose = "stdin-close"
        /// When the client closes standard input.
        case stdinEnd = "stdin-end"

        static let names = allCases.map(\.rawValue).joined(separator: ", ")
    }

    static func run(_ options: CommandLineOptions) async {
        var options = options
        guard let name = options.takeValue("at"), let point = Point(rawValue: name) else {
            CommandLineOptions.refuse("option '--at' must be one of \(Point.names)")
        }
        let handler = CrashingHandler(
            point: point, isSignal: options.takeFlag("signal"), once: options.takeValue("once"))
        options.finish()
        handler.pass(.start)
        await StdioServer(handler).run()
        handler.pass(.stdinEnd)
    }
}

/// A server with the tool `echo` that ends where it is told to.
private struct CrashingHandler: RequestHandler {
    let point: CrashingMode.Point
    let isSignal: Bool
    let once: String?
    private let base = ToolServer("crashing", tools: [.echo])

    init(point: CrashingMode.Point, isSignal: Bool, once: String?) {
        self.point = point
        self.isSignal = isSignal
        self.once = once
    }

    /// Ends the process if this is the point to do so.
    func pass(_ passed: CrashingMode.Point) {
        guard isDue(passed) else { return }
        if isSignal { ProcessState.killItself() }
        ProcessState.exit(3)
    }

    /// Whether something happens here; says its last words if so.
    private func isDue(_ passed: CrashingMode.Point) -> Bool {
        guard passed == point else { return false }
        if let once {
            do throws(SystemError) {
                guard try StateFile.create(once) else { return false }
            } catch {
                CommandLineOptions.refuse(error.description)
            }
        }
        Descriptor.standardError.print("crashing: this is the end, at \(point.rawValue)")
        return true
    }

    func reply(to request: Request, over connection: Connection) -> Reply {
        switch request.method {
        case "initialize":
            pass(.beforeInitializeAnswer)
            return answer(request, base.reply(to: request, over: connection), .afterInitializeAnswer, over: connection)
        case "tools/list":
            pass(.toolsList)
            return base.reply(to: request, over: connection)
        case "tools/call":
            pass(.duringCall)
            return call(request, over: connection)
        default: return base.reply(to: request, over: connection)
        }
    }

    func receive(notification method: String, params _: JSONValue, over _: Connection) {
        if method == "notifications/initialized" { pass(.initialized) }
    }

    private func call(_ request: Request, over connection: Connection) -> Reply {
        if isDue(.stdoutClose) { connection.writer.close() }
        if isDue(.stdinClose) {
            Descriptor.standardInput.close()
            ProcessState.sleepForever()
        }
        let result: Result<JSONValue, RPCError>
        if let message = request.params["arguments"]?["message"]?.text, request.params["name"]?.text == "echo" {
            result = .success(.content(.text(message)))
        } else {
            result = .failure(.invalidParams("tool 'echo' with a message is all there is"))
        }
        if point == .midAnswer, isDue(.midAnswer) {
            let line = Message.answer(to: request.id, result).bytes
            connection.writer.write(raw: Array(line.prefix(line.count / 2)))
            if isSignal { ProcessState.killItself() }
            ProcessState.exit(3)
        }
        return answer(request, .now(result), .afterCall, over: connection)
    }

    /// Answers, and ends behind the answer if that is the point.
    private func answer(
        _ request: Request, _ reply: Reply, _ behind: CrashingMode.Point, over connection: Connection
    ) -> Reply {
        guard behind == point, case .now(let outcome) = reply, isDue(behind) else { return reply }
        connection.writer.write(Message.answer(to: request.id, outcome))
        if isSignal { ProcessState.killItself() }
        ProcessState.exit(3)
    }
}
