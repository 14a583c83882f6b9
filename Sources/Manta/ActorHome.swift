/// Where one actor's value stands in its process, its types known to nobody outside.
protocol ActorBox: Sendable {
    /// Answers one encoded message. The caller sees to it that there is one at a time.
    func receive(_ input: TaskInput, _ context: TaskContext) async throws -> [UInt8]
}

actor ActorHome<Subject: RemoteActor>: ActorBox {
    private let name: String
    private var value: Subject

    init(_ value: Subject, name: String) {
        self.name = name
        self.value = value
    }

    func receive(_ input: TaskInput, _ context: TaskContext) async throws -> [UInt8] {
        let message = try await input.decode(Subject.Message.self, taskName: name)
        // Nothing else comes in between: changed outside and put back, also when it throws.
        var changed = value
        let answer: Result<Subject.Reply, any Error>
        do {
            answer = .success(try await changed.receive(message))
        } catch {
            answer = .failure(error)
        }
        value = changed
        return try await context.encode(try answer.get(), taskName: name)
    }
}
