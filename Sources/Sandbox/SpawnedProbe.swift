// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    private import Darwin
#else
    private import Glibc
#endif

/// Runs one short trial and waits for it, blocking.
///
/// It is for `SandboxProbe` alone, not a way to start children: it has no streams, no teardown and no guard. It
/// collects the status of its own process only.
enum SpawnedProbe {
    static func run(_ launch: LaunchCommand, limit: Duration) -> SandboxProbe.Outcome {
        guard let pipe = Pipe() else { return .failed("no pipe could be made: system error \(errno)") }
        defer { close(pipe.readEnd) }
        let (process, code) = spawn(launch, stderr: pipe.writeEnd)
        close(pipe.writeEnd)
        guard code == 0 else { return .failed("\(launch.executable) cannot be started: system error \(code)") }
        let (text, ended) = collect(pipe.readEnd, until: ContinuousClock.now + limit)
        // The whole group, since a tool that hangs may not have tied itself to its parent yet. The number cannot have
        // been given away: it is kept until it is waited for.
        if !ended { kill(-process, SIGKILL) }
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
        guard ended else { return .timedOut }
        guard status != 0 else { return .succeeded }
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init)
        return .failed(line ?? "it ended with wait status \(status)")
    }

    private struct Pipe {
        let readEnd: Int32
        let writeEnd: Int32

        init?() {
            var ends: [Int32] = [-1, -1]
            guard unsafe pipe(&ends) == 0 else { return nil }
            readEnd = ends[0]
            writeEnd = ends[1]
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// Starts the command with nothing but stderr, in a group of its own; returns its number and 0, or an error.
    private static func spawn(_ launch: LaunchCommand, stderr: Int32) -> (process: pid_t, code: Int32) {
        var process: pid_t = -1
        // Sound: both objects are initialized before use and destroyed once; the C strings outlive the call, which
        // copies what it needs, and are freed once.
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, stderr, 2)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let words = unsafe copies([launch.executable] + launch.arguments)
        let variables = unsafe copies(["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C"])
        defer {
            for index in unsafe words.indices { unsafe free(words[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        let code = unsafe posix_spawn(&process, launch.executable, &actions, &attributes, words, variables)
        return (process, code)
    }

    /// Copies strings into the form of `argv`, with the nil that ends it; the caller frees each.
    private static func copies(_ strings: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var copies = unsafe [UnsafeMutablePointer<CChar>?]()
        for string in strings { unsafe copies.append(strdup(string)) }
        unsafe copies.append(nil)
        return unsafe copies
    }

    /// Reads until everything that holds the other end is gone; `ended` is false if time ran out first.
    private static func collect(
        _ descriptor: Int32, until deadline: ContinuousClock.Instant
    ) -> (text: String, ended: Bool) {
        var bytes: [UInt8] = []
        while true {
            let left = deadline - ContinuousClock.now
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&request, 1, Int32(max(0, milliseconds)))
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { return ("", false) }
            var chunk = [UInt8](repeating: 0, count: 1024)
            // Sound: read(2) writes at most the count it is given, and the array outlives the call.
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return (String(decoding: bytes, as: UTF8.self), true) }
            if bytes.count < 4096 { bytes += chunk[..<count] }
        }
    }
}
