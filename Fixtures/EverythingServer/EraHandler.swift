// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Synchronization

/// Gives each message to the handler of the era that the process speaks.
///
/// The first request that tells decides for good: a modern envelope or `server/discover` for the modern era,
/// `initialize` for the legacy one (MCP 2026-07-28, versioning). What comes before is answered as a legacy server
/// would. A locked server speaks one era only and refuses the other's requests as a server does that knows no other.
final class EraHandler: RequestHandler {
    private let session: Session
    private let legacy: LegacyHandler
    private let modern: ModernHandler
    private let decided: Mutex<Era?>

    init(locked era: Era?, pageSize: Int?, hint: CacheHint) {
        session = Session()
        let holds = Holds()
        let paging = Paging(size: pageSize)
        legacy = LegacyHandler(session: session, paging: paging, holds: holds)
        modern = ModernHandler(session: session, paging: paging, hint: hint, holds: holds)
        decided = Mutex(era)
    }

    var acceptsBatches: Bool { legacy.acceptsBatches }

    func reply(to request: Request, over connection: Connection) -> Reply {
        session.count(request.method)
        return switch era(after: request) {
        case .legacy: legacy.reply(to: request, over: connection)
        case .modern: modern.reply(to: request, over: connection)
        }
    }

    func receive(notification method: String, params: JSONValue, over _: Connection) {
        session.count(method)
        if method == "notifications/cancelled", let id = params["requestId"] { modern.listens.close(id) }
    }

    private func era(after request: Request) -> Era {
        decided.withLock { decided in
            if let decided { return decided }
            if Envelope.isThere(in: request.params) || request.method == "server/discover" {
                decided = .modern
            } else if request.method == "initialize" {
                decided = .legacy
            }
            return decided ?? .legacy
        }
    }
}
