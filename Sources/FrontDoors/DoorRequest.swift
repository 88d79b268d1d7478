// SPDX-License-Identifier: Apache-2.0
package import BrokerDaemon
import LodgeConfiguration
package import Logging

/// What a command line of a front door asks for.
package enum DoorRequest: Sendable {
    /// Serve until the process is told to end.
    case serve(DoorService)
    /// Ask a running broker whether it can be used: exit status 0 or 1.
    case healthcheck(HealthProbe)
    /// Be a client of a remote server on this process's own standard input and output.
    case connect(ConnectRequest)
    /// Print a text to standard output.
    case show(String)
}

/// A broker in the foreground, as a door wants it.
package struct DoorService: Sendable {
    package var settings: BrokerSettings
    package var logLevel = Logger.Level.info
    /// What is said in the log before anything starts, each in one sentence.
    package var warnings: [String] = []
    /// What helps where it cannot listen, in the door's own words.
    package var listenHint: String

    package init(settings: BrokerSettings, listenHint: String) {
        self.settings = settings
        self.listenHint = listenHint
    }

    /// Only the addresses are announced: whoever comes through a door has the clients set up.
    package var announcement: ServeAnnouncement {
        var announcement = ServeAnnouncement(
            printsJSON: false, readyFile: nil, isStateless: settings.stateless, token: nil, showsToken: false)
        announcement.isBrief = true
        return announcement
    }
}

/// Why a command line of a door is refused.
package struct DoorRefusal: Error, Sendable, Equatable {
    package var message: String
    package var hints: [String] = []
    package var status: Int32
    /// A text for standard error that stands before the error.
    package var help: String?

    init(_ message: String, hints: [String] = [], status: Int32 = 1, help: String? = nil) {
        (self.message, self.hints, self.status, self.help) = (message, hints, status, help)
    }
}
