// SPDX-License-Identifier: Apache-2.0
import Testing

// Each of these runs its tests one after the other, beside the others: so a few processes run at a time and not all.

@Suite("lodge serve: messages", .serialized) enum ServeMessages {}
@Suite("lodge serve: refusals", .serialized) enum ServeRefusals {}
@Suite("lodge serve: failures of servers", .serialized) enum ServeFailures {}
@Suite("lodge serve: process", .serialized) enum ServeProcess {}
@Suite("lodge as", .serialized) enum Doors {}
@Suite("lodge serve: many at once", .serialized) enum ServeLoad {}
