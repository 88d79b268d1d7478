// SPDX-License-Identifier: Apache-2.0

/// What the system says of the process itself; nil is what it does not say.
package struct ProcessFigures: Sendable, Hashable {
    package var residentBytes: Int?
    package var openDescriptors: Int?

    package init(residentBytes: Int? = nil, openDescriptors: Int? = nil) {
        self.residentBytes = residentBytes
        self.openDescriptors = openDescriptors
    }
}
