// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// An MCP server with every feature of the revisions up to 2025-11-25, over standard input and output.
///
/// Its tools, resources and prompts named `test_…` and `test://…` are those that the official conformance suite asks a
/// server for; the others let a test look inside the process. `EVERYTHING_PAGE_SIZE` sets how many items a page of a
/// list holds; without it every list is one page.
@main
struct EverythingServer {
    @MainActor
    static func main() async {
        let pageSize = ProcessState.environmentVariable("EVERYTHING_PAGE_SIZE").flatMap(Int.init)
        await StdioServer(EverythingHandler(pageSize: pageSize)).run()
    }
}
