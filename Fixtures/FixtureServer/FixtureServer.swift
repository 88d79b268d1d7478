// SPDX-License-Identifier: Apache-2.0

import FixtureKit

@main struct FixtureServer {
    static func main() async {}
}
