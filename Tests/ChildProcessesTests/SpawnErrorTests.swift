// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

@Suite("spawn errors", .timeLimit(.minutes(1)))
struct SpawnErrorTests {
    /// A directory of the test's own, gone with it.
    private final class Scratch {
        let path: String

        init() throws {
            var template = Array("/tmp/lodge-children-XXXXXX".utf8CString)
            path = try #require(
                unsafe template.withUnsafeMutableBufferPointer { buffer in
                    unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) }
                })
        }

        func file(_ name: String, _ text: String, mode: mode_t) throws -> String {
            let file = "\(path)/\(name)"
            let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_CLOEXEC, mode)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            let bytes = Array(text.utf8)
            let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            try #require(written == bytes.count)
            return file
        }

        deinit {
            for name in ["file", "tool"] { unsafe unlink("\(path)/\(name)") }
            unsafe rmdir(path)
        }
    }

    private func error(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = ScriptChild.environment,
        directory: String? = nil, marker: String = ProcessMarker.random()
    ) throws -> SpawnError {
        try #require(throws: SpawnError.self) {
            try ChildProcess.spawn(
                ChildSpecification(
                    executable: executable, arguments: arguments, environment: environment,
                    workingDirectory: directory, marker: marker))
        }
    }

    @Test("a name that PATH does not have")
    func notInPath() throws {
        let error = try error("no-such-program")
        #expect(error.code == .notFound)
        #expect(
            error.message
                == "cannot start 'no-such-program': no such file in PATH; give the full path or install it")
    }

    @Test("a name without a PATH to look in")
    func noPath() throws {
        let error = try error("env", environment: [:])
        #expect(error.code == .notFound)
        #expect(error.message == "cannot start 'env': its environment has no PATH; give the full path or set PATH")
    }

    @Test("a path that does not exist")
    func noSuchPath() throws {
        let error = try error("/no/such/program")
        #expect(error.code == .notFound)
        #expect(error.message == "cannot start '/no/such/program': no such file; check the path or install it")
    }

    @Test("a file that is not executable, by its path")
    func notExecutable() throws {
        let scratch = try Scratch()
        let file = try scratch.file("file", "text", mode: 0o644)
        let error = try error(file)
        #expect(error.code == .notExecutable)
        #expect(error.message == "cannot start '\(file)': '\(file)' is not executable; run 'chmod +x \(file)'")
    }

    @Test("a file that is not executable, in PATH")
    func notExecutableInPath() throws {
        let scratch = try Scratch()
        let file = try scratch.file("tool", "text", mode: 0o644)
        let error = try error("tool", environment: ["PATH": "/nowhere:\(scratch.path):/usr/bin"])
        #expect(error.code == .notExecutable)
        #expect(error.message == "cannot start 'tool': '\(file)' is not executable; run 'chmod +x \(file)'")
    }

    @Test("a directory instead of a program")
    func directory() throws {
        let error = try error("/usr/bin")
        #expect(error.code == .notExecutable)
        #expect(error.message == "cannot start '/usr/bin': '/usr/bin' is a directory; name a program inside it")
    }

    @Test("a script whose interpreter is missing")
    func interpreter() throws {
        let scratch = try Scratch()
        let file = try scratch.file("file", "#!/no/such/interpreter\n", mode: 0o755)
        let error = try error(file)
        #expect(error.code == .notExecutable)
        #expect(
            error.message
                == "cannot start '\(file)': the interpreter or loader of '\(file)' is missing; "
                + "check its first line or install what it names")
    }

    @Test("an executable text without an interpreter line is not given to a shell")
    func noInterpreterLine() throws {
        let scratch = try Scratch()
        let file = try scratch.file("file", "echo hello\n", mode: 0o755)
        let error = try error(file)
        #expect(error.code == .notExecutable)
        #expect(
            error.message
                == "cannot start '\(file)': '\(file)' is no program for this machine and has no '#!' line; "
                + "add one or start its interpreter")
    }

    @Test("a working directory that does not exist")
    func noDirectory() throws {
        let error = try error("env", directory: "/no/such/directory")
        #expect(error.code == .badWorkingDirectory)
        #expect(
            error.message
                == "cannot start 'env': working directory '/no/such/directory' does not exist; "
                + "create it or name another")
    }

    @Test("a working directory that is a file")
    func fileAsDirectory() throws {
        let error = try error("env", directory: "/etc/passwd")
        #expect(error.code == .badWorkingDirectory)
        #expect(
            error.message == "cannot start 'env': working directory '/etc/passwd' is not a directory; name another")
    }

    @Test("arguments that are too long")
    func tooLong() throws {
        let error = try error("env", [String(repeating: "x", count: 200_000)])
        #expect(error.code == .badSpecification)
        #expect(error.message == "cannot start 'env': its arguments and environment are too long; shorten them")
    }

    @Test("an argument with a NUL character")
    func nulInArgument() throws {
        let error = try error("env", ["fine", "a\0b"])
        #expect(error.code == .badSpecification)
        #expect(error.message == "cannot start 'env': argument 2 contains a NUL character; remove it")
    }

    @Test("a variable whose value has a NUL character is named without its value")
    func nulInVariable() throws {
        let error = try error("env", environment: ["TOKEN": "s3cret\0"])
        #expect(error.message == "cannot start 'env': environment variable 'TOKEN' contains a NUL character; remove it")
    }

    @Test("a variable name with an equals sign")
    func badName() throws {
        let error = try error("env", environment: ["A=B": "1"])
        #expect(
            error.message
                == "cannot start 'env': 'A=B' cannot name an environment variable; rename it without '=' and NUL")
    }

    @Test("an empty command")
    func empty() throws {
        #expect(try error("").message == "cannot start '': the command is empty; name a program")
    }

    @Test("a marker that could end the guard's line")
    func badMarker() throws {
        #expect(
            try error("env", marker: "a\nb").message
                == "cannot start 'env': its marker is not 1 to 64 letters, digits, '-' and '_'; use a random one")
    }
}
