// SPDX-License-Identifier: Apache-2.0
import Foundation
import FrontDoors
import Testing

@Suite("What the front doors make of a command line")
struct GoldenTests {
    private static let isRecording = ProcessInfo.processInfo.environment["LODGE_RECORD_GOLDEN"] == "1"

    /// A2, A3, D3, D5, D-G7
    @Test("arguments and environment in, settings or a refusal out", arguments: GoldenCase.all)
    func golden(golden: GoldenCase) throws {
        if Self.isRecording { return try golden.record() }
        #expect(golden.actual == golden.expected)
    }

    @Test("every door has cases", arguments: FrontDoor.allCases)
    func cases(door: FrontDoor) {
        #expect(GoldenCase.all.count { $0.door == door } > 10)
    }

    @Test("a program's own name chooses its door", arguments: FrontDoor.allCases)
    func names(door: FrontDoor) {
        #expect(FrontDoor(programPath: door.rawValue) == door)
        #expect(FrontDoor(programPath: "/usr/local/bin/\(door.rawValue)") == door)
        #expect(FrontDoor(programPath: "/usr/local/bin/lodge") == nil)
        #expect(FrontDoor(programPath: "\(door.rawValue)/lodge") == nil)
    }
}
