import Cluster
import Dispatch
import Foundation
import Jobs

/// Shows a job's log as it grows, and its phases on standard error.
final class JobFollower {
    private let client: HeadClient
    private let id: String
    /// False after a line that was cut or never ended.
    private(set) var isAtLineStart = true

    init(client: HeadClient, id: String) {
        self.client = client
        self.id = id
    }

    /// Returns when the job is over. Ctrl-C detaches: the job runs on.
    func follow(showsPhases: Bool, logsToError: Bool = false) async throws -> JobDetails {
        let interrupt = detachOnInterrupt()
        defer { interrupt.cancel() }
        let display = TerminalText(descriptor: logsToError ? 2 : 1)
        for try await event in client.events(of: id, follows: true) {
            switch event {
            case .phase(let phase, let detail):
                if showsPhases, let text = phrase(phase, detail) {
                    writeError(TerminalText.plain.shown(text) + "\n")
                }
            case .log(let line, _):
                let text = display.line(line)
                logsToError ? writeError(text) : writeOut(text)
                isAtLineStart = line.endsWithLineFeed
            case .dropped(let count):
                writeError("… \(count) lines are no longer kept …\n")
            case .alive:
                break
            case .end(let details):
                return details
            }
        }
        throw CommandFailure("the head ended the log of \(id) without the job's end.")
    }

    private func phrase(_ phase: String, _ detail: String) -> String? {
        switch phase {
        case "queued": "Queued: \(detail)"
        case "compiling": "Compiling: \(detail.replacingOccurrences(of: "compiling ", with: ""))"
        case "running": "Running: \(detail.replacingOccurrences(of: "running ", with: ""))"
        case "stopping": "Stopping: \(detail)"
        default: nil
        }
    }

    private func detachOnInterrupt() -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        let id = id
        source.setEventHandler {
            writeError(
                "\nDetached; the job runs on. Follow it again with: job logs -f \(id)\n"
                    + "End it with: job stop \(id)\n")
            exit(130)
        }
        source.resume()
        return source
    }
}
