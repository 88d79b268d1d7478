// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A child with pipes at its stdin and stdout, and this process's ends of them.
struct ChildPipes {
    let toChild: Int32
    let fromChild: Int32

    /// Starts `command` (its first element is a path). The child ends by itself when `toChild` closes.
    static func start(_ command: [String]) throws(StartError) -> ChildPipes {
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        // Sound: both arrays have the two elements that pipe fills.
        guard unsafe pipe(&input) == 0, unsafe pipe(&output) == 0 else { throw StartError(call: "pipe", number: errno) }
        // The child gets copies of its two ends and none of the rest, or it would never see its stdin close.
        for descriptor in input + output { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO)
        // Sound: the copies are never freed, since a relay starts one child; the last element is the nil that ends argv.
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) } + [nil]
        var pid: pid_t = 0
        let status = unsafe posix_spawn(&pid, command[0], &actions, nil, &arguments, environ)
        guard status == 0 else { throw StartError(call: "posix_spawn", number: status) }
        close(input[0])
        close(output[1])
        return ChildPipes(toChild: input[1], fromChild: output[0])
    }

    struct StartError: Error, CustomStringConvertible {
        let call: String
        let number: Int32
        var description: String { "\(call) failed with errno \(number)" }
    }
}
