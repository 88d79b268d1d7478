// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Results of modern servers, which know what `resultType` means.
extension ModernAnswer {
    /// What a result of a modern server is.
    enum ResultType: Hashable {
        case complete, inputRequired, task
        case unknown(String)

        init(_ message: ServerMessage) {
            let buffer = message.bytes
            guard let raw = message.envelope.resultType else {
                // A server that forgot it has nothing to ask (2026-07-28, base protocol, responses).
                self = .complete
                return
            }
            switch JSONString.decode(buffer.readableBytesUInt8Span, raw) {
            case "complete"?: self = .complete
            case "input_required"?: self = .inputRequired
            case "task"?: self = .task
            case let text: self = .unknown(text ?? "")
            }
        }
    }

    /// - Parameter seal: makes what the client brings back of what the server gave.
    func modernResult(_ message: ServerMessage, server: String, seal: ([UInt8]?) -> String) -> Answer {
        switch ResultType(message) {
        case .complete: return result(message, server: server)
        case .task:
            guard request.metadata.capabilities.contains(.tasks) else {
                return unusable(server, "a task, which its client did not ask for")
            }
            return .message(LodgeMessage.answer(message, id: call.id))
        case .inputRequired:
            guard request.method.mayAskForInput else {
                return unusable(server, "a request for input to a method that takes none")
            }
            return question(message, server: server, seal: seal)
        case .unknown(let type): return unusable(server, "the unknown resultType '\(type)'")
        }
    }

    private func unusable(_ server: String, _ problem: String) -> Answer {
        CallFailure.unusable(server: server, problem).answer(to: call, withTail: false)
    }

    /// The questions pass as they are; the server's state is sealed, so that it comes back only for the same request of
    /// the same principal.
    private func question(_ message: ServerMessage, server: String, seal: ([UInt8]?) -> String) -> Answer {
        let buffer = message.bytes
        let input: InputQuestions
        do throws(InputQuestions.Problem) {
            input = try InputQuestions(message.envelope, in: buffer.readableBytesUInt8Span)
        } catch {
            return unusable(server, error.text)
        }
        let declared = request.metadata.capabilities
        if let question = input.questions.first(where: { !declared.isSuperset(of: $0.needed) }) {
            return ModernError(
                code: ErrorCode.internalError,
                message: "the server asks by '\(question.request.method)', which the client did not declare"
            ).answer(id: call.id)
        }
        if input.state == nil, !isPinned { return .message(LodgeMessage.answer(message, id: call.id)) }
        return .message(LodgeMessage.answer(message, id: call.id, state: seal(input.state)))
    }
}

extension LodgeMessage {
    /// A server's request for input with another state, or with one where it gave none.
    static func answer(_ message: ServerMessage, id: RawID, state: String) -> MessageBytes {
        var raw: [UInt8] = []
        JSONString.encode(state, into: &raw)
        var splice = Splice(message.envelope.value)
        var replacements = Replacements(id: id)
        splice.replace(message.envelope.id, with: .id)
        if let place = message.envelope.requestState {
            splice.replace(place, with: .requestState)
            replacements.requestState = raw
        } else if let result = message.envelope.result {
            // The result is an object with a resultType at least, so a comma is right.
            splice.replace(result.lowerBound + 1..<result.lowerBound + 1, with: .requestState)
            replacements.requestState = Array(#""requestState":"#.utf8) + raw + [UInt8(ascii: ",")]
        }
        return spliced(withoutLineBreaks(message.bytes, message.envelope), splice, replacements)
    }
}
