import Foundation
import JobChannel
import Jobs
import Synchronization
import Testing

@testable import Cluster

@Suite struct DriverSessionTests {
    @Test("What a driver says of a task's place and time reaches the store, within bounds")
    func placing() async throws {
        var request = TaskRequest(name: "t", occurrence: 0, attemptsMax: 1_000)
        request.gpus = -2
        request.customResources = ["licence": 500]
        request.retryDelay = 1 << 60
        request.limits = .init(
            scheduleToStart: 1, startToClose: 2, scheduleToClose: 3, heartbeat: 4)
        #expect(
            request.resources(milliCPUs: 7)
                == Resources(milliCPUs: 7, custom: ["licence": 500]))
        #expect(request.retryPolicy.attemptsMax == 100)
        #expect(request.retryPolicy.delayInMilliseconds == 30_000)
        #expect(
            request.deadlines
                == Deadlines(scheduleToStart: 1, startToClose: 2, scheduleToClose: 3, heartbeat: 4))
        let plain = TaskRequest(name: "t", occurrence: 0)
        #expect(plain.retryPolicy == .task && plain.deadlines.isEmpty)
        let rig = try await SessionRig()
        request.gpus = nil
        request.limits = .init(scheduleToClose: 60_000)
        request.priority = 3
        try rig.process.send(
            ChannelMessage(.enqueue(request: 1, request), payload: Array("x".utf8)))
        try await eventually("it is stored") {
            try await rig.store.inner.tasks(of: JobID("j"), limit: 9).count == 2
        }
        let spec = try #require(try await rig.store.inner.tasks(of: JobID("j"), limit: 9).last).spec
        #expect(spec.priority == 3 && spec.deadlines.scheduleToClose == 60_000)
        #expect(spec.resources.custom == ["licence": 500])
        await rig.leave()
    }

    @Test("A task goes to the store, and its result comes back")
    func result() async throws {
        let rig = try await SessionRig()
        try rig.enqueue(1, "square", input: "12")
        let grant = try await rig.claim()
        #expect(grant.task.spec.input == .inline(Array("12".utf8)))
        #expect(grant.task.spec.labels == ["toolchain"])
        try await rig.end(grant, .succeeded(.inline(Array("144".utf8))))
        let answer = try await rig.next()
        #expect(answer.header == .completed(request: 1, .succeeded(blob: nil)))
        #expect(answer.payload == Array("144".utf8))
        await rig.leave()
    }

    @Test("A task that can use more gets the whole CPUs that the emptiest able worker has free")
    func elastic() async throws {
        let rig = try await SessionRig()
        // No worker is known at first.
        let cases = [(64_000, 1_000), (64_000, 5_000), (2_000, 2_000)]
        for (number, (most, expected)) in cases.enumerated() {
            try rig.enqueue(UInt64(number + 1), "fit \(number)", milliCPUsMax: most)
            let grant = try await rig.claim(milliCPUs: 64_000)
            #expect(grant.task.spec.resources.milliCPUs == expected)
            try await rig.heartbeat("a", freeMilliCPUs: 3_000, labels: ["toolchain"])
            try await rig.heartbeat("b", freeMilliCPUs: 5_400, labels: ["toolchain"])
            try await rig.heartbeat("c", freeMilliCPUs: 32_000, labels: [])
        }
        await rig.leave()
    }

    @Test("A driver that is run again gets what was done at once, and nothing runs twice")
    func memoised() async throws {
        let store = StoreDouble()
        let first = try await SessionRig(store)
        try first.enqueue(1, "once")
        try await first.end(try await first.claim(), .succeeded(.inline([5])))
        #expect(try await first.next().payload == [5])
        _ = try await store.inner.finish([AttemptEnding(lease: first.lease, outcome: .released)])
        await first.leave()
        let second = try await SessionRig(store)
        try second.enqueue(9, "once")
        let answer = try await second.next()
        #expect(answer.header == .completed(request: 9, .succeeded(blob: nil)))
        #expect(answer.payload == [5])
        #expect(try await store.inner.job(try JobID("j"))?.tasksTotal == 1)
        await second.leave()
    }

    @Test("Each end of a task is told as what it is")
    func failures() async throws {
        let rig = try await SessionRig()
        try rig.enqueue(1, "throws")
        try await rig.end(try await rig.claim(), .failed(message: "it said no"))
        #expect(
            try await rig.next().header == .completed(request: 1, .failed(message: "it said no")))
        try rig.enqueue(2, "crashes", attemptsMax: 2)
        for _ in 0..<2 {
            try await rig.end(
                try await rig.claim(), .crashed(message: "it died", exitCode: nil, signal: 9))
        }
        guard case .completed(2, .lost(let text)) = try await rig.next().header else {
            throw NeverHappened(what: "lost")
        }
        #expect(text.contains("it died") && text.contains("attempt 1: signal 9 (SIGKILL)"))
        #expect(text.contains("attempt 2: "))
        try rig.enqueue(3, "large")
        try await rig.end(
            try await rig.claim(), .succeeded(.blob(digest: "abc", sizeInBytes: 1)))
        #expect(try await rig.next().header == .completed(request: 3, .succeeded(blob: "abc")))
        try rig.enqueue(4, "cancelled")
        try await rig.end(try await rig.claim(), .cancelled(by: "somebody"))
        #expect(try await rig.next().header == .completed(request: 4, .cancelled))
        await rig.leave()
    }

    @Test("A store that is away is asked until it is back; the driver only waits")
    func storeAway() async throws {
        let rig = try await SessionRig()
        rig.store.fail(
            .enqueue, JobStoreError.unavailable("1"), JobStoreError.unavailable("2"),
            JobStoreError.unavailable("3"))
        try rig.enqueue(1, "patient")
        try await rig.end(try await rig.claim(), .succeeded(.inline([1])))
        #expect(try await rig.next().header == .completed(request: 1, .succeeded(blob: nil)))
        #expect(rig.store.count(of: .enqueue) == 4)
        #expect(rig.lostCount == 0)
        await rig.leave()
    }

    @Test("A task that no store takes is refused in the end, and the others are not held up")
    func full() async throws {
        let rig = try await SessionRig()
        let name = String(repeating: "n", count: 600)
        try rig.enqueue(1, "good")
        try rig.enqueue(2, name)
        try rig.enqueue(3, "fine")
        for _ in 0..<2 { try await rig.end(try await rig.claim(), .succeeded(.inline([1]))) }
        var headers: [ChannelMessage.Header] = []
        for _ in 0..<3 { headers.append(try await rig.next().header) }
        #expect(headers.contains(.completed(request: 1, .succeeded(blob: nil))))
        #expect(headers.contains(.completed(request: 3, .succeeded(blob: nil))))
        let refusal = headers.compactMap { if case .refused(2, let why) = $0 { why } else { nil } }
        #expect(refusal.first?.contains("512 bytes") == true, "\(headers)")
        await rig.leave()
    }

    @Test("A lost lease is said once, and nothing more is sent")
    func leaseLost() async throws {
        let rig = try await SessionRig()
        rig.store.failAlways(.enqueue, with: JobStoreError.leaseLost(rig.lease.task))
        for request in 1...600 { try rig.enqueue(UInt64(request), "late\(request)") }
        try await eventually("the loss is heard of") { rig.lostCount >= 1 }
        await rig.leave()
        #expect(rig.store.count(of: .enqueue) <= 10)
    }

    @Test("While its job is being stopped the driver keeps its grace and its tasks are refused")
    func jobOver() async throws {
        let rig = try await SessionRig()
        _ = try await rig.store.inner.stop(try JobID("j"), by: "a user")
        try rig.enqueue(1, "too late")
        #expect(
            try await rig.next().header
                == .refused(request: 1, reason: "the job is being stopped"))
        #expect(rig.lostCount == 0)
        await rig.leave()
    }

    @Test("What is abandoned is not answered; who else waits for it is")
    func abandoned() async throws {
        let rig = try await SessionRig()
        try rig.enqueue(1, "shared")
        try rig.enqueue(2, "shared")
        let grant = try await rig.claim()
        try rig.process.send(ChannelMessage(.abandon(request: 1)))
        try await Task.sleep(for: .milliseconds(200))
        try await rig.end(grant, .succeeded(.inline([1])))
        #expect(try await rig.next().header == .completed(request: 2, .succeeded(blob: nil)))
        try rig.enqueue(3, "another")
        try await rig.end(try await rig.claim(), .succeeded(.inline([1])))
        #expect(try await rig.next().header == .completed(request: 3, .succeeded(blob: nil)))
        await rig.leave()
    }

    @Test("A driver that asks faster than the store takes is slowed down, not kept in memory")
    func backPressure() async throws {
        let rig = try await SessionRig()
        rig.store.failAlways(.enqueue, with: JobStoreError.unavailable("away"))
        let input = String(repeating: "x", count: 60_000)
        let writing = Task { [process = rig.process] in
            for request in 0..<1_500 {
                try await process.sendInTurn(
                    ChannelMessage(
                        .enqueue(
                            request: UInt64(request),
                            TaskRequest(name: "t\(request)", occurrence: 0)),
                        payload: Array(input.utf8)))
            }
            return true
        }
        try await Task.sleep(for: .seconds(1))
        // 90 MB do not fit in the session, the mailbox and the socket: the writer still waits.
        let isDone = Mutex(false)
        Task {
            _ = try await writing.value
            isDone.withLock { $0 = true }
        }
        try await Task.sleep(for: .milliseconds(200))
        #expect(!isDone.withLock { $0 })
        rig.store.failAlways(.enqueue, with: nil)
        #expect(try await writing.value)
        try await eventually("all tasks arrived") {
            try await rig.store.inner.job(try JobID("j"))?.tasksTotal == 1_500
        }
        await rig.leave()
    }

    @Test("A driver that dies while the store is away does not hold its session")
    func deadDriver() async throws {
        let rig = try await SessionRig()
        rig.store.failAlways(.enqueue, with: JobStoreError.unavailable("away"))
        for request in 0..<5_000 { try rig.enqueue(UInt64(request), "t\(request)") }
        try await eventually("some were asked for") { rig.store.count(of: .enqueue) > 0 }
        rig.process.close()
        await rig.session.end()
        await rig.leave()
        let calls = rig.store.count(of: .enqueue)
        try await Task.sleep(for: .milliseconds(300))
        #expect(rig.store.count(of: .enqueue) <= calls + 1)
    }

    @Test("The job's result is kept, also when it was the last word")
    func jobResult() async throws {
        let rig = try await SessionRig()
        try rig.process.send(ChannelMessage(.result, payload: Array("{\"a\":1}".utf8)))
        await rig.process.flush()
        await rig.leave()
        #expect(await rig.session.result == Array("{\"a\":1}".utf8))
    }
}
