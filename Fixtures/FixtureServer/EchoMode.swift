// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// `echo`: the quickest server there can be: one thread, one loop, answers in the order of the requests.
///
/// Answers to requests that came in together go out together, so that it is not the fixture that a benchmark measures.
enum EchoMode {
    static func run(_ options: CommandLineOptions) {
        options.finish()
        var reader = LineReader(.standardInput)
        var output: [UInt8] = []
        // Neither an input that cannot be read nor an output nobody reads leaves anything to do but to end.
        while let line = try? reader.next() {
            if let answer = answer(to: line) { output += answer.bytes + [0x0A] }
            guard !reader.hasLine, !output.isEmpty else { continue }
            guard (try? Descriptor.standardOutput.write(output)) != nil else { return }
            output.removeAll(keepingCapacity: true)
        }
    }

    private static func answer(to line: [UInt8]) -> JSONValue? {
        let value: JSONValue
        do throws(JSONParsingError) {
            value = try JSONValue(parsing: line)
        } catch {
            return Message.answer(to: .null, .failure(.parseError(error.description)))
        }
        switch Message(value) {
        case .request(let request): return Message.answer(to: request.id, reply(to: request))
        case .invalid(let id, let error): return Message.answer(to: id, .failure(error))
        case .batch: return Message.answer(to: .null, .failure(.invalidRequest("a batch is not accepted")))
        case .notification, .answer: return nil
        }
    }

    private static func reply(to request: Request) -> Result<JSONValue, RPCError> {
        let params = request.params
        switch request.method {
        case "tools/call":
            guard params["name"]?.text == "echo" else {
                return .failure(.invalidParams("unknown tool '\(params["name"]?.text ?? "")'"))
            }
            guard let message = params["arguments"]?["message"]?.text else {
                return .success(["content": [.text("argument 'message' must be a string")], "isError": true])
            }
            return .success(.content(.text(message)))
        case "tools/list": return .success(["tools": [Tool.echo.definition]])
        case "ping": return .success([:])
        case "initialize":
            return .success(ToolServer.welcome(params, name: "echo", capabilities: ["tools": [:]]))
        default: return .failure(.unknownMethod(request.method))
        }
    }
}
