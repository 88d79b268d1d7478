// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration

/// The matrix as a page.
enum MatrixPage {
    static func text() throws -> String {
        var text = """
            # Protocol matrix

            Made by a test (`ProtocolMatrixTests`), which sends every message between a client and a server of every pair of
            revisions and looks at what the other side gets. CI fails when this page and what happens differ.

            A cell stands for one revision of the receiving side, from the oldest to the newest:
            \(MatrixRevision.allCases.map(\.rawValue).joined(separator: ", ")).

            - **C** carried: the bytes pass; ids and progress tokens are always Lodge's own towards the server
            - **T** translated: it arrives in the words of the other era
            - **L** local: Lodge answers it, or it ends with Lodge, because it means only the next hop
            - **R** refused, with the reason below its table
            - **·** the sender's revision does not have it


            """
        for isolation in [Isolation.client, .shared] {
            text += "## Isolation `\(isolation.rawValue)`\n"
            text += try part("From the client", isolation, [.clientRequest, .clientNotification])
            text += try part("From the server", isolation, [.serverRequest, .serverNotification])
        }
        return text
    }

    private static func part(
        _ title: String, _ isolation: Isolation, _ kinds: Set<MatrixMessage.Kind>
    ) throws -> String {
        let isFromClient = kinds.contains(.clientRequest)
        let columns = MatrixRevision.allCases
        var text = "\n### \(title)\n\n| \(isFromClient ? "client" : "server") of | "
        text +=
            columns.map(\.rawValue).joined(separator: " | ") + " |\n|" + String(repeating: " --- |", count: 6) + "\n"
        var reasons: [String: [String]] = [:]
        for message in MatrixMessage.all where kinds.contains(message.kind) {
            text += "| \(message.title) |"
            for sender in columns {
                var letters = ""
                for receiver in columns {
                    let cell = try MatrixCell.probe(
                        message, client: isFromClient ? sender : receiver, server: isFromClient ? receiver : sender,
                        isolation: isolation)
                    letters += cell.letter
                    if case .refused(let reason) = cell, reasons[reason]?.contains(message.title) != true {
                        reasons[reason, default: []].append(message.title)
                    }
                }
                text += letters == "·····" ? " · |" : " `\(letters)` |"
            }
            text += "\n"
        }
        guard !reasons.isEmpty else { return text }
        text += "\nRefused:\n\n"
        for (reason, titles) in reasons.sorted(by: { $0.key < $1.key }) {
            text += "- \(titles.joined(separator: ", ")): \(reason)\n"
        }
        return text
    }
}
