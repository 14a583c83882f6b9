import Foundation
import Jobs

extension WorkerID {
    /// A new identity for a worker of this name: `worker-1#5F0A93C2`.
    init(name: String) {
        self.init(rawValue: "\(name)#\(UUID().uuidString.prefix(8))")
    }

    /// What people call the worker, from its identity or from the text that was made of it.
    static func name(in text: String) -> String {
        text.split(separator: "#").first.map(String.init) ?? text
    }
}
