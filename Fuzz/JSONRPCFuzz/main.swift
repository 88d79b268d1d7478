// SPDX-License-Identifier: Apache-2.0

// Feeds generated and broken messages to the JSONRPC target and compares it with the reference until the time is over.
//
//     JSONRPCFuzz [--seconds N] [--seed N]
//
// Exits with 1 at the first difference, after printing the seed, the difference and the bytes.

import JSONRPCOracle

var seconds = 10
var seed: UInt64 = 1
var arguments = CommandLine.arguments.dropFirst()
while let option = arguments.popFirst() {
    switch (option, arguments.popFirst()) {
    case ("--seconds", let text?):
        guard let number = Int(text), number > 0 else {
            fail("--seconds wants a positive number, not '\(text)'", code: 2)
        }
        seconds = number
    case ("--seed", let text?):
        guard let number = UInt64(text) else { fail("--seed wants a number, not '\(text)'", code: 2) }
        seed = number
    case (_, nil) where option == "--seconds" || option == "--seed": fail("\(option) wants a number", code: 2)
    default: fail("unknown option '\(option)'; there are --seconds and --seed", code: 2)
    }
}

var run = FuzzRun(seed: seed)
let clock = ContinuousClock()
let end = clock.now + .seconds(seconds)
while clock.now < end {
    for _ in 0..<100 {
        if let difference = run.step() { fail("seed \(seed), case \(run.cases): \(difference)", code: 1) }
    }
}
print("seed \(seed): \(run.cases) cases, no difference")
