import Testing

@testable import MLflow

/// What may be sent next: no files, no server.
@Suite struct SpoolStateTests {
    private static let beginning = SpoolBeginning(
        trackingURI: "http://127.0.0.1:5000", effectKey: "job/run/1", startTime: 1)

    private func metrics(_ count: Int64) -> SpoolFact {
        var batch = LogBatch()
        for step in 0..<count {
            batch.metrics.append(Metric(key: "m", value: 1, timestamp: 1, step: step))
        }
        return .batch(batch)
    }

    /// A state with these facts, each a frame of 100 bytes.
    private func state(_ facts: [SpoolFact]) throws -> SpoolState {
        var state = SpoolState()
        for (index, fact) in facts.enumerated() {
            try state.apply(
                .fact(number: index + 1, time: Int64(index), fact),
                at: index * 100..<(index + 1) * 100)
        }
        return state
    }

    private func numbers(_ step: SpoolState.Step) -> [Int] {
        guard case .send(let facts, _) = step else { return [] }
        return facts.map(\.number)
    }

    private func isUncertain(_ step: SpoolState.Step) -> Bool {
        if case .send(_, let isUncertain) = step { isUncertain } else { false }
    }

    @Test("Facts go in order, neighbouring batches in one call of at most a thousand entries")
    func order() throws {
        var state = try state([
            .begin(Self.beginning), metrics(400), metrics(400), metrics(400), .inputs([]),
            metrics(1), .end(.finished, at: 9),
        ])
        var sent: [[Int]] = []
        while case .send(let facts, _) = state.next {
            sent.append(facts.map(\.number))
            let last = try #require(facts.last).number
            try state.apply(.sending(through: last), at: 0..<0)
            try state.apply(.done(through: last, nil), at: 0..<0)
        }
        #expect(sent == [[1], [2, 3], [4], [5], [6], [7]])
        #expect(state.waiting.isEmpty && state.isEnded)
    }

    @Test("At most a hundred parameters and a hundred tags go in one call")
    func parameters() throws {
        let sixty = Dictionary(uniqueKeysWithValues: (0..<60).map { ("p\($0)", "v") })
        var state = try state([
            .begin(Self.beginning), .batch(LogBatch(parameters: sixty)),
            .batch(LogBatch(parameters: sixty)), .batch(LogBatch(tags: sixty)),
            .batch(LogBatch(tags: sixty)),
        ])
        try state.apply(.done(through: 1, nil), at: 0..<0)
        #expect(numbers(state.next) == [2])
        try state.apply(.done(through: 2, nil), at: 0..<0)
        #expect(numbers(state.next) == [3, 4])
    }

    @Test("A call that was begun and not answered is tried again as it was, and as uncertain")
    func uncertain() throws {
        var state = try state([.begin(Self.beginning), metrics(1), metrics(1)])
        try state.apply(.done(through: 1, nil), at: 0..<0)
        try state.apply(.sending(through: 2), at: 0..<0)
        #expect(numbers(state.next) == [2] && isUncertain(state.next))
        // Surely not processed: nothing needs to be asked.
        state.failed(isAmbiguous: false, wasUncertain: false)
        #expect(numbers(state.next) == [2] && !isUncertain(state.next))
        // Uncertain once is uncertain until it is answered.
        state.failed(isAmbiguous: false, wasUncertain: true)
        #expect(isUncertain(state.next))
        try state.apply(.done(through: 2, nil), at: 0..<0)
        #expect(numbers(state.next) == [3] && !isUncertain(state.next))
    }

    @Test("What is refused together is sent one by one")
    func apart() throws {
        var state = try state([.begin(Self.beginning), metrics(1), metrics(1), metrics(1)])
        try state.apply(.done(through: 1, nil), at: 0..<0)
        try state.apply(.sending(through: 3), at: 0..<0)
        state.sendApart(through: 3)
        #expect(numbers(state.next) == [2])
        try state.apply(.refused(number: 2, reason: "no"), at: 0..<0)
        try state.apply(.done(through: 2, nil), at: 0..<0)
        #expect(numbers(state.next) == [3])
        try state.apply(.done(through: 3, nil), at: 0..<0)
        #expect(numbers(state.next) == [4])
        #expect(state.summary.refusedCount == 1 && state.summary.lastRefusal == "no")
    }

    @Test("An entry that cannot follow is refused, and changes nothing")
    func disorder() throws {
        let good = try state([.begin(Self.beginning), metrics(1), .inputs([]), metrics(1)])
        let bad: [SpoolEntry] = [
            .fact(number: 3, time: 0, metrics(1)),
            .fact(number: 5, time: 0, .begin(Self.beginning)),
            .fact(number: .max, time: 0, metrics(1)),
            .done(through: 9, nil), .done(through: 0, nil), .done(through: -1, nil),
            .sending(through: 0), .sending(through: 7), .sending(through: 4),
            .refused(number: 2, reason: ""), .dropped(metrics: -1),
            .summary(SpoolSummary()),
        ]
        for entry in bad {
            var state = good
            #expect(throws: SpoolDisorder.self, "\(entry)") { try state.apply(entry, at: 0..<1) }
            #expect(state == good)
        }
        var empty = SpoolState()
        #expect(throws: SpoolDisorder.self) {
            try empty.apply(.fact(number: 1, time: 0, metrics(1)), at: 0..<1)
        }
        var ended = try state([.begin(Self.beginning), .end(.finished, at: 1)])
        #expect(throws: SpoolDisorder.self) {
            try ended.apply(.fact(number: 3, time: 0, metrics(1)), at: 0..<1)
        }
    }

    @Test("Thinning drops the oldest values, never a key's last and never a parameter")
    func thinning() {
        var batches: [LogBatch] = []
        for index in Int64(0)..<10 {
            var batch = LogBatch(parameters: ["p\(index)": "v"])
            for step in index * 10..<(index + 1) * 10 {
                let key = step == 0 ? "rare" : "m"
                batch.metrics.append(Metric(key: key, value: 1, timestamp: 1, step: step))
            }
            batches.append(batch)
        }
        var thinning = SpoolThinning(of: 100)
        var kept: [LogBatch] = []
        for batch in batches.reversed() { kept.insert(thinning.thin(batch), at: 0) }
        #expect(thinning.droppedCount == 49)
        let steps: [Int64] = kept.flatMap(\.metrics).map(\.step)
        #expect(steps == [0] + Array(50..<100))
        #expect(kept.allSatisfy { $0.parameters.count == 1 })
    }

    @Test("A model's placeholders give way to what the server told")
    func placeholders() {
        let written = SpoolFiles.placeholders(runID: nil, experimentID: nil)
        let modelID = written.modelID ?? ""
        let text = """
            artifact_path: "\(written.artifactPath)"
            model_id: "\(modelID)"
            model_uuid: "\(modelID)"
            run_id: "\(written.runID)"

            """
        let actual = LoggedModelInfo(
            modelID: "m-1", runID: "r", artifactPath: "mlflow-artifacts:/4/m", experimentID: "4")
        #expect(
            SpoolFiles.finished(text, written: written, actual: actual) == """
                artifact_path: "mlflow-artifacts:/4/m"
                model_id: "m-1"
                model_uuid: "m-1"
                run_id: "r"

                """)
        let older = LoggedModelInfo(
            modelID: nil, runID: "r", artifactPath: "model", experimentID: "4")
        let finished = SpoolFiles.finished(text, written: written, actual: older)
        #expect(!finished.contains("model_id:") && !finished.contains("m-"))
        #expect(finished.contains("model_uuid: \"\(modelID.dropFirst(2))\""))
    }
}
