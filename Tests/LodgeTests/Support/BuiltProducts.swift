// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The programs of this package as they were built beside the tests.
enum BuiltProducts {
    /// The directory of the test program, which SwiftPM fills with every product; LODGE_PRODUCTS names another.
    private static let directory =
        ProcessInfo.processInfo.environment["LODGE_PRODUCTS"].map { URL(filePath: $0) }
        ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static let lodge = path("lodge")
    static let everything = path("EverythingServer")
    static let fixture = path("FixtureServer")
    static let demoAgent = path("DemoAgent")

    private static func path(_ name: String) -> String {
        directory.appending(path: name).path(percentEncoded: false)
    }
}
