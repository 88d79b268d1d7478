// SPDX-License-Identifier: Apache-2.0
import Foundation
import Gateway

extension ProcessFigures {
    /// Asks procfs; where it is not there, nothing is known.
    static func ofThisProcess() -> ProcessFigures {
        var figures = ProcessFigures()
        // The second figure of statm counts resident pages (proc(5)).
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
            .dropFirst().first.flatMap { Int($0) }
        figures.residentBytes = pages.map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
        let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        // One of them is the directory's own.
        figures.openDescriptors = descriptors.map { $0.count - 1 }
        return figures
    }
}
