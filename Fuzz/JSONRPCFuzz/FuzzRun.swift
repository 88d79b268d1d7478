// SPDX-License-Identifier: Apache-2.0

import JSONRPCOracle

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A corpus that grows by mutation: what passed is broken further, and now and then replaced by something fresh.
struct FuzzRun {
    private(set) var cases = 0
    private var generator: MessageGenerator
    private var random: SplitMix64
    private var corpus: [[UInt8]] = []

    init(seed: UInt64) {
        generator = MessageGenerator(seed: seed)
        random = SplitMix64(seed: ~seed)
    }

    /// Tries one more case; answers what is wrong, with the bytes as a Swift array, or nil.
    mutating func step() -> String? {
        cases += 1
        let isFresh = corpus.isEmpty || random.once(in: 4)
        let bytes = isFresh ? generator.message() : Mutator.mutate(random.pick(corpus), &random)
        if isFresh || random.once(in: 3), bytes.count < 20_000 {
            if corpus.count < 500 { corpus.append(bytes) } else { corpus[random.below(corpus.count)] = bytes }
        }
        return Checks.all(bytes, &random).map { "\($0)\n\(bytes)" }
    }
}

func fail(_ text: String, code: Int32) -> Never {
    print(text)
    exit(code)
}
