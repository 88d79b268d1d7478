// SPDX-License-Identifier: Apache-2.0
import FixtureKit
import Testing

struct ModernTaskTests {
    private static let meta: JSONValue = Modern.meta([
        "elicitation": [:], "extensions": ["io.modelcontextprotocol/tasks": [:]],
    ])

    private func ask(
        _ server: ServerProcess, _ method: String, _ task: JSONValue, _ responses: JSONValue? = nil
    ) throws -> JSONValue {
        var params: JSONValue = ["taskId": task]
        params["inputResponses"] = responses
        return try server.ask(Modern.request(.string(method), method, params, meta: Self.meta))
    }

    private func start(_ server: ServerProcess, _ tool: String, _ arguments: JSONValue = [:]) throws -> JSONValue {
        let answer = try server.ask(Modern.call(1, tool, arguments, meta: Self.meta))
        #expect(answer["result"]?["resultType"] == "task")
        return try #require(answer["result"]?["taskId"])
    }

    /// Asks until the task has that status; the process ends itself if it never does.
    private func state(_ server: ServerProcess, _ task: JSONValue, _ status: String) throws -> JSONValue {
        while true {
            let result = try #require(try ask(server, "tasks/get", task)["result"])
            if result["status"]?.text == status { return result }
        }
    }

    @Test("a task is answered at once, and its result when it is over")
    func completed() throws {
        let server = try ServerProcess()
        let task = try start(server, "slow_task", ["seconds": 0.05, "fail": true])
        let state = try state(server, task, "completed")
        #expect(state["resultType"] == "complete")
        #expect(state["result"]?["isError"] == true)
        #expect(try ask(server, "tasks/cancel", task)["result"]?["resultType"] == "complete")
        #expect(try ask(server, "tasks/get", task)["result"]?["status"] == "completed")
    }

    @Test("a task asks, ignores what it did not ask for and goes on with the answer")
    func input() throws {
        let server = try ServerProcess()
        let task = try start(server, "asking_task")
        let state = try state(server, task, "input_required")
        #expect(state["inputRequests"]?["user_name"]?["method"] == "elicitation/create")
        #expect(try ask(server, "tasks/update", task, ["other": [:]])["result"] != nil)
        #expect(try ask(server, "tasks/get", task)["result"]?["status"] == "input_required")
        let refusal = try ask(server, "tasks/update", task)
        #expect(refusal.errorMessage == "'inputResponses' must be an object")
        #expect(try ask(server, "tasks/update", task, ["user_name": ["action": "decline"]])["result"] != nil)
        let end = try self.state(server, task, "completed")
        #expect(end["result"]?["content"]?.elements?.first?["text"] == "User response: action=decline")
    }

    @Test("a task that is cancelled stays so")
    func cancelled() throws {
        let server = try ServerProcess()
        let task = try start(server, "slow_task", ["seconds": 600])
        #expect(try ask(server, "tasks/cancel", task)["result"] != nil)
        #expect(try state(server, task, "cancelled")["result"] == nil)
        #expect(try server.finish().isEmpty)
    }

    @Test("tasks are for clients that know of them")
    func undeclared() throws {
        let server = try ServerProcess()
        let direct = try server.ask(Modern.call(1, "slow_task", ["seconds": 0]))
        #expect(direct.firstText == "task done")
        #expect(try server.ask(Modern.call(2, "asking_task")).inputRequests == ["user_name": "elicitation/create"])
        let refusal = try server.ask(Modern.request(3, "tasks/get", ["taskId": "x"]))
        #expect(refusal.code == -32_021)
        #expect(
            refusal["error"]?["data"]?["requiredCapabilities"]
                == ["extensions": ["io.modelcontextprotocol/tasks": [:]]])
        let unknown = try ask(server, "tasks/get", "x")
        #expect(unknown.code == -32_602)
        #expect(unknown.errorMessage == "unknown task 'x'")
    }
}
