// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    private import Darwin
#else
    private import Glibc
#endif

/// Files that only their owner may read: written whole or not at all, checked before they are believed.
///
/// It never widens or narrows the mode of a file that it did not make; it says what to run instead. It makes no
/// directories. Calls block for the time of a small file operation. `what` names the file's role in errors.
package enum PrivateFile {
    /// The longest content that `read` accepts, in bytes.
    package static let readLimit = 64 * 1024

    /// Tells whether there is anything at this path, a dangling link included.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0
    }

    /// Tells whether group or others may read or write a regular file; a pipe or a device is nobody's to read again.
    package static func isOpenToOthers(_ path: String) -> Bool {
        var status = stat()
        // Sound: the path outlives the call, which only writes the status.
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return status.st_mode & 0o066 != 0
    }

    /// Reads a regular file that group and others may neither read nor write.
    ///
    /// `whoeverMayRead` waives that, for files that are made by others with a mode of their own, as a container
    /// engine's secrets are.
    package static func read(
        _ path: String, what: String, whoeverMayRead: Bool = false
    ) throws(SecretsError) -> [UInt8] {
        // Without O_NONBLOCK, a path that names a FIFO would be waited for instead of refused.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("\(what) '\(path)' cannot be read", errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("\(what) '\(path)' cannot be read", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SecretsError(.unreadable, "\(what) '\(path)' is not a regular file; name a regular file")
        }
        guard whoeverMayRead || status.st_mode & 0o066 == 0 else {
            throw SecretsError(.exposed, "\(what) '\(path)' is open to other users; run: chmod 600 '\(path)'")
        }
        var content: [UInt8] = []
        while content.count <= readLimit {
            let chunk = readChunk(descriptor)
            guard let chunk else { throw failure("\(what) '\(path)' cannot be read", errno) }
            if chunk.isEmpty { return content }
            content += chunk
        }
        throw SecretsError(.malformed, "\(what) '\(path)' is longer than 64 KiB; name the right file")
    }

    /// Puts this content at the path, mode 0600, replacing in one step what was there.
    package static func replace(_ path: String, with content: [UInt8], what: String) throws(SecretsError) {
        let temporary = try writeBeside(path, content, what: what)
        guard unsafe rename(temporary, path) == 0 else {
            let code = errno
            unlink(path: temporary)
            throw failure("\(what) '\(path)' cannot be written", code)
        }
    }

    /// Puts this content at the path, mode 0600, unless there is something already; returns whether it did.
    ///
    /// The file appears with its whole content: another process never reads half of it.
    @discardableResult
    package static func createIfAbsent(
        _ path: String, _ content: [UInt8], what: String
    ) throws(SecretsError) -> Bool {
        let temporary = try writeBeside(path, content, what: what)
        let outcome = unsafe link(temporary, path)
        let code = errno
        unlink(path: temporary)
        if outcome == 0 { return true }
        guard code == EEXIST else { throw failure("\(what) '\(path)' cannot be made", code) }
        return false
    }

    /// Writes a complete, synchronized file into the same directory and returns its path.
    private static func writeBeside(
        _ path: String, _ content: [UInt8], what: String
    ) throws(SecretsError) -> String {
        let suffix = String(decoding: Hexadecimal.encode(RandomBytes.make(8)), as: UTF8.self)
        let temporary = "\(path).\(suffix).tmp"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("\(what) '\(path)' cannot be written", errno) }
        var written = writeAll(descriptor, content) && fsync(descriptor) == 0
        let code = errno
        written = close(descriptor) == 0 && written
        guard written else {
            unlink(path: temporary)
            throw failure("\(what) '\(path)' cannot be written", code)
        }
        return temporary
    }

    private static func failure(_ text: String, _ code: Int32) -> SecretsError {
        let reason =
            switch code {
            case ENOENT: "no such file or directory"
            case EACCES, EPERM: "permission denied"
            case ENOSPC, EDQUOT: "no space left"
            case EROFS: "the file system is read-only"
            case ELOOP: "too many links"
            default: "system error \(code)"
            }
        return SecretsError(.unreadable, "\(text): \(reason)")
    }
}

/// Returns up to 4 KiB, nothing at the end of the file, and nil with `errno` set for an error.
private func readChunk(_ descriptor: Int32) -> [UInt8]? {
    var failed = false
    let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        repeat {
            // Sound: read(2) writes at most the capacity it is given, and the buffer outlives the call.
            count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
        } while count < 0 && errno == EINTR
        failed = count < 0
        count = max(count, 0)
    }
    return failed ? nil : chunk
}

private func writeAll(_ descriptor: Int32, _ content: [UInt8]) -> Bool {
    var rest = content[...]
    while !rest.isEmpty {
        // Sound: write(2) reads at most the count it is given, and the buffer outlives the call.
        let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}

/// A file that cannot be removed is left behind with mode 0600; the error that follows is about its target.
private func unlink(path: String) { _ = unsafe unlink(path) }
