/// One thing that the recorder of a run wants the server to know, as it stands in the run's spool.
package enum SpoolFact: Codable, Sendable, Hashable {
    /// The first fact of a run, and only the first.
    case begin(SpoolBeginning)
    /// At most what one `runs/log-batch` call takes.
    case batch(LogBatch)
    case inputs([DatasetInput])
    case artifact(SpooledArtifact)
    case model(SpooledModel)
    case version(SpooledVersion)
    /// How the run ended and when, in milliseconds since 1970.
    case end(RunStatus, at: Int64)
    /// The same, said by somebody else because the run's process is gone. It counts only while the
    /// server still believes that the run goes on: a restarted driver may have ended it since.
    case abandoned(RunStatus, at: Int64)
}

/// What a run is begun with.
package struct SpoolBeginning: Codable, Sendable, Hashable {
    package enum Parent: Codable, Sendable, Hashable {
        case run(id: String)
        /// A run beside it in the same folder that has no id yet.
        case spool(name: String)
    }

    /// The server it is meant for, without credentials.
    package var trackingURI: String
    package var experimentID: String?
    /// Wins over `experimentID`; "Default" when neither is set.
    package var experimentName: String?
    /// An existing run to go on with, in place of a new one.
    package var runID: String?
    package var name: String?
    package var user: String?
    package var tags: [String: String] = [:]
    /// What finds the run again when the answer of its creation is lost.
    package var effectKey: String
    package var parent: Parent?
    /// Milliseconds since 1970.
    package var startTime: Int64
}

/// A file that waits in the spool to be stored among the run's artifacts.
package struct SpooledArtifact: Codable, Sendable, Hashable {
    /// Where it goes below the run's artifact URI.
    package var path: String
    /// Its name in the spool's folder `files`.
    package var file: String
}

/// A model's directory that waits in the spool.
package struct SpooledModel: Codable, Sendable, Hashable {
    package var model: NewLoggedModel
    package var effectKey: String
    /// The directory's name in the spool's folder `files`; its MLmodel lies beside it, as
    /// `NAME.MLmodel`.
    package var directory: String
    /// What its MLmodel was written with: stands for what only the server can tell.
    package var written: LoggedModelInfo
}

/// A version of a registered model that waits to be made.
package struct SpooledVersion: Codable, Sendable, Hashable {
    package enum Source: Codable, Sendable, Hashable {
        case stored(LoggedModel)
        /// The fact of this number in the same spool.
        case fact(Int)
    }

    package var source: Source
    package var name: String
    package var aliases: [String] = []
    package var description: String?
    package var tags: [String: String] = [:]
    package var effectKey: String
}

/// A run as the server answered when it was begun.
package struct SpoolRun: Codable, Sendable, Hashable {
    package var id: String
    package var experimentID: String
    package var name: String
    package var artifactURI: String?

    init(_ run: Run) {
        (id, experimentID, name) = (run.id, run.experimentID, run.name)
        artifactURI = run.artifactURI
    }

    init(id: String, experimentID: String, name: String = "", artifactURI: String? = nil) {
        (self.id, self.experimentID, self.name) = (id, experimentID, name)
        self.artifactURI = artifactURI
    }

    /// What the calls about a run need to know of it.
    var run: Run {
        Run(
            id: id, experimentID: experimentID, name: name, status: .running, startTime: nil,
            endTime: nil, artifactURI: artifactURI, isActive: true, metrics: [], parameters: [:],
            tags: [:], inputs: [], modelIDs: [])
    }
}

/// One frame of a spool's file: a fact, or what became of facts.
enum SpoolEntry: Codable, Sendable, Hashable {
    /// What the frames that stood before it came to; only the first frame of a rewritten file.
    case summary(SpoolSummary)
    /// - Parameter time: when it was said, in milliseconds since 1970.
    case fact(number: Int, time: Int64, SpoolFact)
    /// The facts up to this one are about to be sent in one call.
    case sending(through: Int)
    /// The server has them.
    case done(through: Int, SpoolResult?)
    /// The server will never take something of this fact; what it took of the rest it has.
    case refused(number: Int, reason: String)
    /// Metric values that had no room.
    case dropped(metrics: Int)
}

/// What the server answered.
enum SpoolResult: Codable, Sendable, Hashable {
    case run(SpoolRun)
    case model(LoggedModel)
    case version(String)
}

/// What a spool knows besides the facts that wait.
struct SpoolSummary: Codable, Sendable, Hashable {
    var nextNumber = 1
    /// The server it is meant for.
    var trackingURI: String?
    var run: SpoolRun?
    var isEnded = false
    var droppedCount = 0
    var refusedCount = 0
    var lastRefusal: String?
    /// By the number of their fact.
    var models: [Int: LoggedModel] = [:]
    var versions: [Int: String] = [:]
}
