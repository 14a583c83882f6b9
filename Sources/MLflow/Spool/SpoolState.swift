/// What a run's spool holds and what may be sent next: a pure value that every entry of the file
/// changes, read again after a crash or written now.
///
/// Facts are sent in the order in which they were said. Neighbouring batches share one call. A call
/// that is about to be made is noted before, so that after a crash it is known that its facts may
/// have arrived.
struct SpoolState: Sendable, Hashable {
    /// A fact that the server does not have yet.
    struct Waiting: Sendable, Hashable {
        let number: Int
        /// When it was said, in milliseconds since 1970.
        let time: Int64
        let shape: Shape
        /// Its frame in the file, prefix included.
        let place: Range<Int>
    }

    /// As much of a fact as it takes to plan its call.
    enum Shape: Sendable, Hashable {
        case begin
        case batch(metrics: Int, parameters: Int, tags: Int)
        case single
        case end

        init(_ fact: SpoolFact) {
            switch fact {
            case .begin: self = .begin
            case .batch(let batch):
                self = .batch(
                    metrics: batch.metrics.count, parameters: batch.parameters.count,
                    tags: batch.tags.count)
            case .inputs, .artifact, .model, .version: self = .single
            case .end, .abandoned: self = .end
            }
        }
    }

    /// A call whose answer is not known yet.
    struct Attempt: Sendable, Hashable {
        var through: Int
        /// Whether an earlier try of it may have reached the server.
        var isUncertain: Bool
    }

    /// What to do now.
    enum Step: Sendable, Hashable {
        case nothing
        /// One call. With `isUncertain` the server is asked first what it has of it.
        case send([Waiting], isUncertain: Bool)
    }

    private(set) var summary = SpoolSummary()
    private(set) var waiting: [Waiting] = []
    private(set) var attempt: Attempt?
    /// Facts up to this one are sent one by one: sent together, they were refused.
    private var apartThrough = 0

    var run: SpoolRun? { summary.run }
    var isEnded: Bool { summary.isEnded }
    /// Entries of batches count each; everything else counts as one.
    var waitingCount: Int { waiting.reduce(0) { $0 + $1.shape.count } }
    var waitingBytes: Int { waiting.reduce(0) { $0 + $1.place.count } }

    /// Takes an entry in that stands at `place`.
    ///
    /// - Throws: `SpoolDisorder` for one that cannot follow what came before; nothing changes.
    mutating func apply(_ entry: SpoolEntry, at place: Range<Int>) throws(SpoolDisorder) {
        switch entry {
        case .summary(let summary):
            guard self == SpoolState(), summary.nextNumber > 0 else { throw SpoolDisorder() }
            self.summary = summary
        case .fact(let number, let time, let fact):
            try add(number, time, fact, at: place)
        case .sending(let through):
            let sent = waiting.prefix { $0.number <= through }
            guard sent.last?.number == through, sent.count == 1 || sent.allSatisfy(\.shape.isBatch)
            else { throw SpoolDisorder() }
            attempt = Attempt(through: through, isUncertain: true)
        case .done(let through, let result):
            guard let first = waiting.first, first.number <= through,
                through < summary.nextNumber
            else { throw SpoolDisorder() }
            take(result, of: through)
            finish(through: through)
        case .refused(let number, let reason):
            guard waiting.first?.number == number else { throw SpoolDisorder() }
            summary.refusedCount += 1
            summary.lastRefusal = reason
        case .dropped(let count):
            guard count >= 0, count <= Int.max - summary.droppedCount else { throw SpoolDisorder() }
            summary.droppedCount += count
        }
    }

    private mutating func add(
        _ number: Int, _ time: Int64, _ fact: SpoolFact, at place: Range<Int>
    ) throws(SpoolDisorder) {
        let shape = Shape(fact)
        // A gap is where a batch was dropped.
        guard number >= summary.nextNumber, number < Int.max, !summary.isEnded,
            (shape == .begin) == (number == 1)
        else { throw SpoolDisorder() }
        summary.nextNumber = number + 1
        if shape == .end { summary.isEnded = true }
        if case .begin(let beginning) = fact { summary.trackingURI = beginning.trackingURI }
        waiting.append(Waiting(number: number, time: time, shape: shape, place: place))
    }

    private mutating func take(_ result: SpoolResult?, of number: Int) {
        switch result {
        case .run(let run): summary.run = run
        case .model(let model): summary.models[number] = model
        case .version(let version): summary.versions[number] = version
        case nil: break
        }
    }

    private mutating func finish(through number: Int) {
        waiting.removeFirst(waiting.prefix { $0.number <= number }.count)
        attempt = nil
    }

    // MARK: Sending

    /// The next call: what was tried before comes first, and as the same call.
    var next: Step {
        guard let first = waiting.first else { return .nothing }
        if let attempt {
            return .send(
                Array(waiting.prefix { $0.number <= attempt.through }),
                isUncertain: attempt.isUncertain)
        }
        guard first.shape.isBatch, first.number > apartThrough else {
            return .send([first], isUncertain: false)
        }
        var call = BatchCall()
        return .send(Array(waiting.prefix { call.takes($0) }), isUncertain: false)
    }

    /// Goes on with what was begun before the file was rewritten.
    mutating func goOn(from old: SpoolState) {
        attempt = old.attempt
        apartThrough = old.apartThrough
    }

    /// The call ended without an answer that counts.
    ///
    /// - Parameter isAmbiguous: whether the server may have acted all the same.
    mutating func failed(isAmbiguous: Bool, wasUncertain: Bool) {
        attempt?.isUncertain = isAmbiguous || wasUncertain
    }

    /// The server refused a call of several facts: each is sent by itself.
    mutating func sendApart(through number: Int) {
        apartThrough = max(apartThrough, number)
        attempt = nil
    }
}

/// An entry that cannot follow what stands before it: the file is not one of ours, or damaged.
struct SpoolDisorder: Error {}

extension SpoolState.Shape {
    var isBatch: Bool {
        if case .batch = self { true } else { false }
    }

    /// Entries of it as people count them.
    var count: Int {
        switch self {
        case .batch(let metrics, let parameters, let tags): metrics + parameters + tags
        case .begin, .single, .end: 1
        }
    }
}

/// How much one `runs/log-batch` call has taken up.
private struct BatchCall {
    var metrics = 0
    var parameters = 0
    var tags = 0
    var bytes = 0

    /// Takes a batch in when it is one and the call has room; the first one always has.
    mutating func takes(_ fact: SpoolState.Waiting) -> Bool {
        guard case .batch(let more, let moreParameters, let moreTags) = fact.shape else {
            return false
        }
        let isFirst = bytes == 0
        metrics += more
        parameters += moreParameters
        tags += moreTags
        bytes += fact.place.count
        return isFirst
            || metrics + parameters + tags <= LogLimits.entryCountMax
                && parameters <= LogLimits.parameterCountMax && tags <= LogLimits.tagCountMax
                && bytes <= LogLimits.bytesMax
    }
}
