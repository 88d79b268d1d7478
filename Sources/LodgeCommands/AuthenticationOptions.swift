// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BrokerDaemon
import Foundation
import Secrets

/// How clients prove themselves to `serve`.
struct AuthenticationOptions: ParsableArguments {
    enum Mode: String, ExpressibleByArgument, CaseIterable { case bearer, none }

    @Option(help: "bearer: clients need a token; none: everybody who can connect is let in.")
    var auth: Mode = .bearer

    @Option(help: "Read the token from this file, which only its owner may read.")
    var tokenFile: String?

    @Option(help: "Read the token from this environment variable of Lodge.")
    var tokenEnv: String?

    func validate() throws {
        guard tokenFile == nil || tokenEnv == nil else {
            throw ValidationError("--token-file and --token-env exclude each other; give one")
        }
        guard auth == .bearer || (tokenFile == nil && tokenEnv == nil) else {
            throw ValidationError("--auth none takes no token; leave --token-file and --token-env out")
        }
    }

    /// The token that was given, or a minted one; nil where authentication is off.
    func token(environment: [String: String]) throws -> (token: BearerToken, isMinted: Bool)? {
        guard auth == .bearer else { return nil }
        if let tokenFile {
            do { return (try BearerToken.read(fromFile: tokenFile), false) } catch {
                throw CommandFailure(message: error.message)
            }
        }
        guard let tokenEnv else { return (BearerToken.mint(), true) }
        guard let value = environment[tokenEnv], let token = BearerToken(value) else {
            throw CommandFailure(
                message: "the environment variable \(tokenEnv) holds no usable token",
                hints: ["a token is made of letters, digits and -._~+/, with = at its end only"])
        }
        return (token, false)
    }
}
