// SPDX-License-Identifier: Apache-2.0

import Secrets
import Testing

@Suite("Redactor")
struct RedactorTests {
    @Test("every occurrence of a value is replaced by its name")
    func replaces() {
        let redactor = Redactor([("github", "ghp_abc123")])
        #expect(redactor.redact("a ghp_abc123, ghp_abc123") == "a [redacted:github], [redacted:github]")
    }

    @Test("text without a secret comes back as it was")
    func untouched() {
        let redactor = Redactor([("github", "ghp_abc123")])
        #expect(redactor.redact("ghp_abc12 is close, ghp_ too ☃") == "ghp_abc12 is close, ghp_ too ☃")
    }

    @Test("of two values that start at one place the longer is replaced")
    func longestFirst() {
        let redactor = Redactor([("short", "abcd"), ("long", "abcdefgh")])
        #expect(redactor.redact("abcdefgh abcdxx") == "[redacted:long] [redacted:short]xx")
    }

    @Test("values that overlap leave no end of either")
    func overlapping() {
        let redactor = Redactor([("first", "abcdef"), ("second", "defghi"), ("third", "hijk")])
        #expect(redactor.redact("<abcdefghijk>") == "<[redacted:first][redacted:second][redacted:third]>")
    }

    @Test("a value inside another is not shown twice")
    func nested() {
        let redactor = Redactor([("outer", "abcdefgh"), ("inner", "cdef")])
        #expect(redactor.redact("abcdefgh") == "[redacted:outer]")
    }

    @Test("values that touch are both replaced")
    func adjacent() {
        let redactor = Redactor([("a", "aaaa"), ("b", "bbbb")])
        #expect(redactor.redact("aaaabbbb") == "[redacted:a][redacted:b]")
    }

    @Test("an empty or very short value is not matched and its name is reported")
    func short() {
        let redactor = Redactor([("none", ""), ("tiny", "abc"), ("enough", "wxyz")])
        #expect(redactor.redact("abc wxyz") == "abc [redacted:enough]")
        #expect(redactor.unmatched == ["none", "tiny"])
    }

    @Test("a value of two names is shown under the first")
    func sameValue() {
        #expect(Redactor([("a", "wxyz"), ("b", "wxyz")]).redact("wxyz") == "[redacted:a]")
    }

    @Test("values beyond ASCII are found, at the very end too")
    func unicode() {
        #expect(Redactor([("p", "pässwörd☃")]).redact("x pässwörd☃") == "x [redacted:p]")
    }

    @Test("bytes that are not UTF-8 pass beside a secret")
    func bytes() {
        let redactor = Redactor([("s", "wxyz")])
        #expect(
            redactor.redact(bytes: [0xFF] + Array("wxyz".utf8) + [0xFE]) == [0xFF] + Array("[redacted:s]".utf8) + [0xFE]
        )
    }

    @Test("no byte of any value survives random text that is full of them")
    func random() {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("abc")
        for _ in 0..<300 {
            let values = (0..<5).map { _ in
                String(
                    (0..<Int.random(in: 4...7, using: &generator)).map { _ in
                        letters.randomElement(using: &generator) ?? "a"
                    })
            }
            let text = String((0..<60).map { _ in letters.randomElement(using: &generator) ?? "a" })
            let redactor = Redactor(values.map { (name: "X", value: $0) })
            let expected = Self.slowlyUncovered(text, values)
            #expect(redactor.redact(text).split(separator: "[redacted:X]").joined() == expected, "\(values) \(text)")
        }
    }

    /// The letters that no occurrence of any value covers, found the slow way.
    private static func slowlyUncovered(_ text: String, _ values: [String]) -> String {
        let letters = Array(text)
        var covered = Set<Int>()
        for value in values {
            let length = value.count
            for start in 0...(letters.count - length) where String(letters[start..<start + length]) == value {
                covered.formUnion(start..<start + length)
            }
        }
        return String(letters.indices.filter { !covered.contains($0) }.map { letters[$0] })
    }

    @Test("hundreds of values with one prefix are each found", .timeLimit(.minutes(1)))
    func many() {
        let secrets = (0..<500).map {
            (name: "n\($0)", value: "token_\(1000 + $0)_\(String(repeating: "z", count: $0 % 7))")
        }
        let redactor = Redactor(secrets)
        for secret in secrets { #expect(redactor.redact("<\(secret.value)>").hasPrefix("<[redacted:n")) }
    }
}
