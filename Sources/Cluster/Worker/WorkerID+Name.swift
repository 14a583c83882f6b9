import Foundation
import Jobs

extension WorkerID {
    /// A new identity for a worker of this name: `worker-1#5F0A93C2`.
    init(name: String) {
        self.init(rawValue: "\(name)#\(UUID().uuidString.prefix(8))")
    }
}
