// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// A program that was started with its output in a pipe and its standard error in a file.
///
/// It is started plainly, and not by the target that Lodge starts its children with: that would clean up behind a
/// Lodge that does not. Its owner collects it by ``wait(within:)``.
final class SpawnedProgram {
    let pid: pid_t
    let output: Descriptor
    private var status: Int32?

    init(_ words: [String], environment: [String], log: String) throws(SystemError) {
        var pipe: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&pipe) == 0 else { throw SystemError("pipe", errno) }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        output = Descriptor(pipe[0])
        defer { Descriptor(pipe[1]).close() }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        var pid: pid_t = 0
        let code = unsafe Self.withCopies(words) { arguments in
            unsafe Self.withCopies(environment) { unsafe posix_spawn(&pid, words[0], &actions, nil, arguments, $0) }
        }
        guard code == 0 else {
            output.close()
            throw SystemError("posix_spawn \(words[0])", code)
        }
        self.pid = pid
    }

    func signal(_ number: Int32) {
        // Until it is collected its pid is not used again.
        if status == nil { _ = kill(pid, number) }
    }

    /// Collects the program; nil where it has not ended within that time, else what the shell would call its status.
    func wait(within limit: Duration) -> Int32? {
        let end = ContinuousClock.now + limit
        while status == nil {
            var word: Int32 = 0
            let outcome = unsafe waitpid(pid, &word, WNOHANG)
            if outcome == pid {
                let signal = word & 0x7F
                status = signal == 0 ? (word >> 8) & 0xFF : 128 + signal
                output.close()
            } else if ContinuousClock.now >= end {
                return nil
            } else {
                ProcessState.sleep(milliseconds: 2)
            }
        }
        return status
    }

    /// Gives the body C strings of the words, ended with nil; they live until it returns.
    private static func withCopies<Outcome>(
        _ words: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Outcome
    ) -> Outcome {
        var copies = unsafe words.map { unsafe strdup($0) }
        unsafe copies.append(nil)
        defer {
            for place in unsafe copies.indices { unsafe free(copies[place]) }
        }
        return unsafe body(copies)
    }
}
