// SPDX-License-Identifier: Apache-2.0

extension Call {
    /// Appends the message; every fifth has its id at the end, where a reader has to wait for it.
    func appendMessage(to bytes: inout [UInt8]) {
        let idComesLast = sequence % 5 == 4
        bytes.append(#"{"jsonrpc":"2.0","#)
        if !idComesLast {
            appendID(to: &bytes)
            bytes.append(",")
        }
        bytes.append(#""method":"tools/call","params":{"name":"#)
        switch tool {
        case .echo: bytes.append(#""echo","arguments":{"message":""#)
        case .hit: bytes.append(#""hit","arguments":{"label":""#)
        case .hang: bytes.append(#""hang","arguments":{"label":""#)
        case .progress:
            bytes.append(#""progress","_meta":{"progressToken":"#)
            bytes.append(contentsOf: id)
            bytes.append(#"},"arguments":{"steps":"#)
            bytes.append(decimal: steps)
            bytes.append(#","label":""#)
        }
        Label.append(self, to: &bytes)
        bytes.append(#""}}"#)
        if idComesLast {
            bytes.append(",")
            appendID(to: &bytes)
        }
        bytes.append("}")
    }

    /// The answer up to where a result or an error begins.
    func appendAnswerStart(to bytes: inout [UInt8]) {
        bytes.append(#"{"jsonrpc":"2.0","#)
        appendID(to: &bytes)
        bytes.append(",")
    }

    /// The answer that the server gives; what `hit` counts is left out.
    func appendAnswer(to bytes: inout [UInt8]) {
        appendAnswerStart(to: &bytes)
        bytes.append(#""result":{"content":[{"type":"text","text":""#)
        Label.append(self, to: &bytes)
        bytes.append(#""}]}}"#)
    }

    /// One notification of progress; steps are counted from 1.
    func appendProgress(step: Int, to bytes: inout [UInt8]) {
        bytes.append(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"#)
        bytes.append(contentsOf: id)
        bytes.append(#","progress":"#)
        bytes.append(decimal: step)
        bytes.append(#","total":"#)
        bytes.append(decimal: steps)
        bytes.append(#","message":""#)
        Label.append(self, to: &bytes)
        bytes.append(#""}}"#)
    }

    private func appendID(to bytes: inout [UInt8]) {
        bytes.append(#""id":"#)
        bytes.append(contentsOf: id)
    }
}
