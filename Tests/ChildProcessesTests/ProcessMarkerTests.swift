// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChildProcesses

@Suite("process marker")
struct ProcessMarkerTests {
    @Test("random markers are valid and differ")
    func random() {
        let markers = (0..<100).map { _ in ProcessMarker.random() }
        #expect(Set(markers).count == 100)
        #expect(markers.allSatisfy { ProcessMarker.isValid($0) && $0.count == 32 })
    }

    @Test("what could break a line of the guard is no marker", arguments: ["", "a b", "a\n", "a:b", "é"])
    func invalid(text: String) {
        #expect(!ProcessMarker.isValid(text))
    }

    @Test("an outer Lodge's marker stays in front")
    func chain() {
        #expect(ProcessMarker.chain(outer: nil, own: "b") == "b")
        #expect(ProcessMarker.chain(outer: "a", own: "b") == "a:b")
        #expect(ProcessMarker.parts("a:b:c") == ["a", "b", "c"])
    }

    @Test("a foreign or endless outer value is not passed on")
    func badOuter() {
        #expect(ProcessMarker.chain(outer: "not a marker", own: "b") == "b")
        #expect(ProcessMarker.chain(outer: String(repeating: "a:", count: 300), own: "b") == "b")
    }
}
