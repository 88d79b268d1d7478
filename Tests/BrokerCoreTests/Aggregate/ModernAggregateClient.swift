// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import NIOCore

/// A modern client of an aggregate under test.
struct ModernAggregateClient {
    static let meta =
        #"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#

    let server: AggregateServer
    var principal = Principal.anonymous
    var servers = Grant.Servers.all

    /// Sends a request; `params` are members that follow the metadata.
    @discardableResult
    func send(
        _ method: String, _ params: String = "", id: String = "1", meta: String = meta,
        fields: [ParameterField] = []
    ) throws -> (sink: RecordingSink, ticket: CallTicket?) {
        let rest = params.isEmpty ? "" : "," + params
        let bytes = ByteBuffer(
            string: #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{"_meta":\#(meta)\#(rest)}}"#)
        let sink = RecordingSink()
        let message = ClientMessage(
            bytes: bytes, envelope: try MessageScanner.scan(bytes.readableBytesUInt8Span), session: "stale",
            principal: principal, servers: servers, parameterFields: fields)
        return (sink, server.receive(message, sink: sink).ticket)
    }

    /// Sends a request and answers its answer; null where it has none yet.
    func request(_ method: String, _ params: String = "", id: String = "1") throws -> JSONValue {
        try send(method, params, id: id).sink.bodies.first.map { try JSONValue.parse(Array($0.utf8)) } ?? .null
    }

    /// The values by which a list names its entries.
    func names(_ method: String, _ list: String, _ member: String = "name") throws -> [String?] {
        try request(method)["result"]?[list]?.elements?.map { $0[member]?.string } ?? []
    }
}
