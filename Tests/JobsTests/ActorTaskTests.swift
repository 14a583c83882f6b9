import Testing

@testable import Jobs

/// How lives and calls of actors are told from other tasks.
@Suite struct ActorTaskTests {
    private func task(_ role: ActorTask, of job: JobID, labels: Set<String>? = nil) -> NewTask {
        NewTask(
            id: TaskID(rawValue: "t"), job: job, kind: .task, name: role.taskName,
            input: .inline([]), resources: Resources(),
            labels: labels ?? [NewTask.toolchainLabel, role.label(of: job)], retry: .task)
    }

    @Test("A life runs where actors are known, a call where its actor is, anything else anywhere")
    func roles() throws {
        let job = try #require(JobID(rawValue: "j.1"))
        for role in [ActorTask.life(instance: "c/0"), .call(instance: "c/0")] {
            #expect(ActorTask(task(role, of: job)) == role)
            #expect(ActorTask(task(role, of: job, labels: [NewTask.toolchainLabel])) == nil)
        }
        #expect(ActorTask.life(instance: "c/0").label(of: job) == "actors")
        var driver = task(.call(instance: "c/0"), of: job)
        driver = NewTask(
            id: driver.id, job: job, kind: .driver, name: driver.name, input: driver.input,
            resources: driver.resources, labels: driver.labels, retry: .driver)
        #expect(ActorTask(driver) == nil, "a driver with such a label is a driver")
    }

    @Test("Every actor has a home of its own, short enough for a label, whatever its name is")
    func homes() throws {
        let jobs = try ["j", "k", String(repeating: "x", count: 128)].map {
            try #require(JobID(rawValue: $0))
        }
        let instances = ["c/0", "c/1", String(repeating: "é", count: 100) + "/999999", "a,b*c;d/1"]
        let labels = jobs.flatMap { job in
            instances.map { ActorTask.call(instance: $0).label(of: job) }
        }
        #expect(Set(labels).count == labels.count)
        for label in labels {
            #expect(label.hasPrefix("actor:") && label.utf8.count == 38)
        }
    }

    @Test("Input and name alone do not make a task and a call the same")
    func digests() {
        let input = String(repeating: "0", count: 64)
        let digests = [
            input, ActorTask.life(instance: "c/0").digest(of: input),
            ActorTask.call(instance: "c/0").digest(of: input),
        ]
        #expect(Set(digests).count == 3)
        #expect(digests.allSatisfy { $0.utf8.count == 64 && $0.allSatisfy(\.isHexDigit) })
    }
}
