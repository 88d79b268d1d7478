// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

extension ChildProcess {
    /// Starts a program.
    ///
    /// It blocks for as long as the system takes to load the program, about a millisecond. Nothing of it is left when
    /// it throws.
    /// - Parameters:
    ///   - guardian: what ends the child's tree should Lodge itself be killed; nil leaves that to the child.
    ///   - standardError: called with each line of the child's standard error, in order, on a queue of the child; it
    ///     must not block. Of a flood it gets the first 1000 lines and then 200 a second, with the number dropped.
    package static func spawn(
        _ specification: ChildSpecification, guardedBy guardian: GuardProcess? = nil,
        standardError: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(SpawnError) -> ChildProcess {
        try specification.validate()
        let path = try ExecutableLookup(specification).find()
        let request = ProcessLauncher.Request(
            program: specification.executable, path: path,
            arguments: [specification.executable] + specification.arguments,
            environment: specification.environmentEntries(outerMarker: ProcessMarker.ofThisProcess),
            workingDirectory: specification.workingDirectory, group: specification.group)
        if let problem = ReadinessLoop.shared.prepare() {
            throw SpawnError(systemError: problem, starting: specification.executable, at: path)
        }
        // Before the start: a Lodge that is killed between the two must not leave a child unknown to the guard.
        guardian?.add(marker: specification.marker)
        do {
            let child = try launch(request, specification, guardian, standardError)
            if child.handle.leadsGroup { guardian?.add(group: child.pid, of: specification.marker) }
            child.start()
            if specification.streams == .inherited, specification.group == .shared {
                child.followStops()
                if specification.wrappers > 0 { child.followStops(behind: specification.wrappers) }
            }
            return child
        } catch {
            guardian?.remove(marker: specification.marker)
            throw error
        }
    }

    private static func launch(
        _ request: ProcessLauncher.Request, _ specification: ChildSpecification, _ guardian: GuardProcess?,
        _ standardError: @escaping @Sendable (String) -> Void
    ) throws(SpawnError) -> ChildProcess {
        // Work that is never long, on the shared pool: one thread for each child would be kept otherwise.
        let queue = DispatchQueue(label: "lodge.child", target: .global())
        guard specification.streams == .piped else {
            let handle = try ProcessLauncher.launch(request, streams: .init())
            return ChildProcess(
                handle: handle, marker: specification.marker, pipes: nil, input: nil, output: nil, errorReader: nil,
                queue: queue, guardian: guardian)
        }
        var problem: Int32 = 0
        guard let input = OwnedPipe(error: &problem), let output = OwnedPipe(error: &problem),
            let error = OwnedPipe(error: &problem),
            let pipes = ChildPipes(
                input.reading.number, output.reading.number, error.reading.number, error: &problem)
        else { throw SpawnError(systemError: problem, starting: request.program, at: request.path) }
        // Before the start, as the marker.
        guardian?.add(pipes, of: specification.marker)
        let handle = try ProcessLauncher.launch(
            request,
            streams: .init(input: input.reading.number, output: output.writing.number, error: error.writing.number))
        input.writing.makeNonblocking()
        output.reading.makeNonblocking()
        let reader = StandardErrorReader(owning: error.reading, queue: queue, sink: standardError)
        return ChildProcess(
            handle: handle, marker: specification.marker, pipes: pipes, input: input.writing,
            output: output.reading, errorReader: reader, queue: queue, guardian: guardian)
    }
}
