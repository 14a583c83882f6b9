import Foundation
import Jobs
import Processes
import TestSupport
import Testing

@testable import Cluster

/// Work that takes more memory than it may, on real processes, held by the kernel and by sampling.
@Suite struct MemoryLimitTests {
    @Test(
        "A task that eats memory is ended alone, told as such, and not tried again",
        arguments: [true, false])
    func task(mayUseControlGroups: Bool) async throws {
        let rig = try WorkerRig { $0.mayUseControlGroups = mayUseControlGroups }
        let hungry = try await rig.submitScript("map", "hungry", "1")
        let other = try await rig.submitScript("map", "wait", "3")
        let record = try await rig.end(of: hungry)
        #expect(try await rig.end(of: other).state.isTerminal)
        guard case .succeeded = try await rig.end(of: other).state else {
            Issue.record("the other job suffered: \(try await rig.end(of: other).state)")
            return
        }
        #expect(record.tasksFailed == 1 && record.tasksRetried == 0)
        let tasks = try await rig.store.tasks(of: hungry, limit: 10)
        let failure = tasks.compactMap { task -> TaskFailure? in
            if task.spec.kind == .task, case .failed(let failure) = task.state {
                failure
            } else {
                nil
            }
        }.first
        let message = try #require(failure?.message)
        #expect(message.hasPrefix("out of memory: it and what it started took "))
        #expect(message.hasSuffix(" MiB of at most 96 MiB"))
        await rig.stop()
    }

    @Test(
        "A driver that eats memory fails its job with the peak and the limit",
        arguments: [true, false])
    func driver(mayUseControlGroups: Bool) async throws {
        let rig = try WorkerRig { $0.mayUseControlGroups = mayUseControlGroups }
        let eat = "kept = []\nwhile True: kept.append(bytearray(4 << 20)); time.sleep(0.01)"
        let id = try await rig.submit(
            .command("exec \(try Python.executable) -c 'import time\n\(eat)'")
        ) { $0.driverResources.memoryInBytes = 64 << 20 }
        let record = try await rig.end(of: id)
        guard case .failed(let failure) = record.state else {
            Issue.record("\(record.state)")
            return
        }
        #expect(failure.message.contains("signal 9 (SIGKILL): out of memory"))
        #expect(failure.message.contains("of at most 64 MiB"))
        #expect(failure.signal == SIGKILL)
        await rig.stop()
    }
}
