// SPDX-License-Identifier: Apache-2.0

import FixtureKit

@main struct DemoAgent {
    static func main() async {}
}
