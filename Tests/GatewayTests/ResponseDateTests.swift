// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Gateway

@Suite("The date of responses")
struct ResponseDateTests {
    @Test(
        "a point in time is written as RFC 9110 says",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ])
    func format(seconds: Int64, text: String) {
        #expect(ResponseDate.text(of: seconds) == text)
    }

    @Test("the text changes with the second")
    func changes() {
        let seconds = Atomic<Int64>(0)
        let date = ResponseDate { seconds.load(ordering: .relaxed) }
        #expect(date.text == "Thu, 01 Jan 1970 00:00:00 GMT")
        seconds.store(1, ordering: .relaxed)
        #expect(date.text == "Thu, 01 Jan 1970 00:00:01 GMT")
    }
}
