// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// `failing-initialize [--times N --state FILE]`: answers `initialize` with an error, the first N times or always.
///
/// FILE holds how often that has happened, for each attempt is likely to be a process of its own.
@MainActor
enum FailingInitializeMode {
    static func run(_ options: CommandLineOptions) async {
        var options = options
        let times = options.takeNumber("times") ?? .max
        let state = options.takeValue("state")
        options.finish()
        guard times == .max || state != nil else { CommandLineOptions.refuse("option '--times' needs '--state FILE'") }
        await StdioServer(FailingInitializeHandler(times: times, state: state)).run()
    }
}

private struct FailingInitializeHandler: RequestHandler {
    let times: Int
    let state: String?
    private let base = ToolServer("failing-initialize", tools: [.echo])

    init(times: Int, state: String?) {
        self.times = times
        self.state = state
    }

    func reply(to request: Request, over connection: Connection) -> Reply {
        guard request.method == "initialize" else { return base.reply(to: request, over: connection) }
        let failures = state.map(StateFile.number) ?? 0
        guard failures < times else { return base.reply(to: request, over: connection) }
        if let state {
            do throws(SystemError) {
                try StateFile.write(failures + 1, to: state)
            } catch {
                return .error(RPCError(-32_603, error.description))
            }
        }
        Descriptor.standardError.print("failing-initialize: refusing, for the \(failures + 1). time")
        return .error(RPCError(-32_000, "the database is not reachable", data: ["attempt": .integer(failures + 1)]))
    }
}
