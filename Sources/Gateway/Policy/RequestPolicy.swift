// SPDX-License-Identifier: Apache-2.0
package import BrokerCore

/// Decides whether a request may be looked at at all: its host, its origin, and what its token opens.
///
/// It is pure but for the table of grants behind the token, and the same for every path: the relay's handler asks
/// it, and so does the responder of all other paths.
package struct RequestPolicy: Sendable {
    package let hosts: HostRule
    package let origins: OriginRule
    package let authentication: any Authenticating

    package init(hosts: HostRule, origins: OriginRule, authentication: any Authenticating) {
        self.hosts = hosts
        self.origins = origins
        self.authentication = authentication
    }

    /// What is wrong with where a request comes from, asked before anything else of it is read.
    package func refusal(of fields: RequestFields, authority: String? = nil) -> GatewayRefusal? {
        guard fields.host != nil || fields.repeated == .host else { return .missingHost }
        if let repeated = fields.repeated { return .repeatedHeader(repeated) }
        // A target in absolute form overrules the Host field (RFC 9112 section 3.2.2).
        guard let host = authority ?? fields.host, hosts.allows(host) else { return .hostNotAllowed }
        if let origin = fields.origin, origins.verdict(on: origin) == .refused { return .originNotAllowed }
        return nil
    }

    /// The origin whose page may read the answer, where one was allowed by name.
    package func sharedOrigin(_ origin: String?) -> String? {
        guard let origin, origins.verdict(on: origin) == .allowedByName else { return nil }
        return origin
    }

    /// The grant that an `Authorization` header opens.
    package func grant(authorization: String?) -> Result<Grant, GatewayRefusal> {
        if let grant = authentication.openGrant { return .success(grant) }
        guard let authorization, let token = Self.bearerToken(authorization) else { return .failure(.missingToken) }
        guard let grant = authentication.grant(for: token) else { return .failure(.invalidToken) }
        return .success(grant)
    }

    /// What follows `Bearer `; the scheme's case does not matter (RFC 9110 section 11.1).
    private static func bearerToken(_ authorization: String) -> Substring? {
        let scheme = authorization.utf8.prefix(7)
        guard ASCIIText.equals(scheme, lowercase: "bearer ") else { return nil }
        let token = Substring(ASCIIText.trimmed(authorization[...].utf8.dropFirst(7)))
        return token.isEmpty ? nil : token
    }
}
