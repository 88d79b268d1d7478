// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// A modern server's request for input on its way to a modern client (2026-07-28, multi round-trip requests).
///
/// The questions pass as they are; the server's state is sealed, so that it comes back only for the same request of the
/// same principal.
struct ModernQuestions {
    let call: PendingCall
    let request: ModernRequest
    let server: String

    /// The answer for the client; nil where the result asks for nothing.
    ///
    /// - Parameter seal: gets the raw value of the server's state.
    func answer(to message: ServerMessage, seal: ([UInt8]) -> String) -> Answer? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let type = message.envelope.resultType, message.envelope.string(type, in: bytes) == "input_required"
        else {
            return nil
        }
        guard request.method.mayAskForInput else { return unusable("a request for input to a method that takes none") }
        let input: InputQuestions
        do throws(InputQuestions.Problem) {
            input = try InputQuestions(message.envelope, in: bytes)
        } catch {
            return unusable(error.text)
        }
        let declared = request.metadata.capabilities
        if let question = input.questions.first(where: { !declared.isSuperset(of: $0.needed) }) {
            return ModernError(
                code: ErrorCode.internalError,
                message: "the server asks by '\(question.request.method)', which the client did not declare"
            ).answer(id: call.id)
        }
        guard let state = input.state else { return .message(LodgeMessage.answer(message, id: call.id)) }
        return .message(LodgeMessage.answer(message, id: call.id, state: seal(state)))
    }

    private func unusable(_ problem: String) -> Answer {
        CallFailure.unusable(server: server, problem).answer(to: call, withTail: false)
    }
}
