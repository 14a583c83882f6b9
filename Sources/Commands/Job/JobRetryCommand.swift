import ArgumentParser
import Cluster
import Jobs

struct JobRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Begin a job anew that failed or was stopped, or one task that failed for good.",
        discussion: "What succeeded is not done again.")

    @OptionGroup var head: HeadOptions

    @Option(help: "Try this task again only, as `job tasks` names it: score/3fa9c1d2.")
    var task: String?

    @Argument var id: String

    func run() async throws {
        try await head.withClient { client in
            if let task {
                let details = try await client.retry(task: task, of: id)
                if head.json { return try writeJSON(details) }
                return writeOut("Task '\(details.shortID)' of job '\(id)': \(details.state)\n")
            }
            let reply = try await client.retry(id)
            if head.json { return try writeJSON(reply) }
            writeOut(
                reply.retried
                    ? "Job '\(id)' begins anew (life \(reply.life)); what succeeded is kept.\n"
                        + "Follow it with: job logs -f \(id)\n"
                    : "Job '\(id)' is not over; there is nothing to retry yet.\n")
        }
    }
}

struct JobWhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say what a job waits for, or why it ended.")

    @OptionGroup var head: HeadOptions

    @Argument var id: String

    func run() async throws {
        try await head.withClient { client in
            let explanation = try await client.why(id)
            if head.json { return try writeJSON(explanation) }
            writeOut("\(explanation.state): \(TextTable.plain(explanation.line))\n")
            for (index, command) in explanation.next.enumerated() {
                writeOut((index == 0 ? "Next: " : "      ") + command + "\n")
            }
        }
    }
}
