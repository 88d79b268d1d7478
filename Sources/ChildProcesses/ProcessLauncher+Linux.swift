// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Glibc

/// Starts one program by posix_spawn and opens a pidfd to it.
///
/// It has no shell, no fork of its own and no memory. The new process has the descriptors 0, 1 and 2 alone, default
/// signal handling and an empty signal mask.
enum ProcessLauncher {
    struct Request {
        /// For errors: the program as the user named it.
        var program: String
        var path: String
        /// With the program's own name in front.
        var arguments: [String]
        /// Entries of the form `NAME=value`.
        var environment: [String]
        var workingDirectory: String?
        var group: ChildSpecification.Group
    }

    /// Descriptors that become the child's standard streams; -1 leaves Lodge's own. They stay the caller's.
    struct Streams {
        var input: Int32 = -1
        var output: Int32 = -1
        var error: Int32 = -1
    }

    static func launch(_ request: Request, streams: Streams) throws(SpawnError) -> ProcessHandle {
        // An outer program may have left SIGCHLD ignored; then no status could ever be collected.
        cps_restore_sigchld()
        let pid = spawn(request, streams)
        guard pid > 0 else {
            throw SpawnError(systemError: -pid, starting: request.program, at: request.path)
        }
        // The pid cannot be another process by now: only this process can collect it.
        let pidfd = cps_pidfd_open(pid)
        guard pidfd >= 0 else {
            kill(pid, SIGKILL)
            var status: Int32 = 0
            // Sound: `status` is a local. The wait is for this one process, which was just killed.
            while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
            throw SpawnError(systemError: -pidfd, starting: request.program, at: request.path)
        }
        return ProcessHandle(pid: pid, pidfd: OwnedDescriptor(owning: pidfd), leadsGroup: request.group != .shared)
    }

    private static func spawn(_ request: Request, _ streams: Streams) -> pid_t {
        let arguments = flatten(request.arguments)
        let environment = flatten(request.environment)
        // Sound: every pointer handed over lives until the call returns, and each text is terminated by `flatten`.
        return unsafe request.path.withCString { path in
            unsafe arguments.withUnsafeBufferPointer { arguments in
                unsafe environment.withUnsafeBufferPointer { environment in
                    unsafe withOptionalCString(request.workingDirectory) { directory in
                        var call = unsafe cps_spawn(
                            path: path, arguments: arguments.baseAddress, argument_count: request.arguments.count,
                            environment: environment.baseAddress, environment_count: request.environment.count,
                            directory: directory, input: streams.input, output: streams.output, error: streams.error,
                            group: request.group.shimValue)
                        return unsafe cps_spawn(&call)
                    }
                }
            }
        }
    }

    /// One text after the other, each with its terminating NUL.
    private static func flatten(_ texts: [String]) -> [CChar] {
        texts.flatMap { $0.utf8.map { CChar(bitPattern: $0) } + [0] }
    }

    private static func withOptionalCString<Result>(
        _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }
}

extension ChildSpecification.Group {
    fileprivate var shimValue: cps_group {
        switch self {
        case .own: CPS_GROUP_OWN
        case .session: CPS_GROUP_SESSION
        case .shared: CPS_GROUP_INHERIT
        }
    }
}
