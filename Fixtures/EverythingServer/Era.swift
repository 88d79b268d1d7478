// SPDX-License-Identifier: Apache-2.0

/// Which protocol a process speaks: with a handshake (up to 2025-11-25), or with its metadata in every request.
enum Era: String {
    case legacy, modern
}
