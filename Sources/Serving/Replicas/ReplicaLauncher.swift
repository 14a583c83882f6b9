/// Starts replicas: as child processes of the gateway, or in a test as tasks of its own.
package protocol ReplicaLauncher: Sendable {
    /// Starts a replica that speaks over `descriptor`, which stays the caller's: a copy of it must
    /// be made before this returns. May block for the time of a fork.
    ///
    /// The replica must end when this process does, however that ends.
    func launch(_ id: ReplicaID, over descriptor: Int32) throws -> any ReplicaProcess
}

/// A replica that was started.
package protocol ReplicaProcess: Sendable {
    /// Shown to people; a replica in this process has its pid.
    var pid: Int32 { get }

    /// Ends it at once; nothing when it has ended.
    func kill()

    /// How it ended, in words for people.
    func wait() async -> String
}
