import ArgumentParser
import Cluster

struct JobTasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Show a job's tasks, and why attempts ended.")

    @OptionGroup var head: HeadOptions

    @Flag(help: "Only tasks that failed for good, with each attempt's cause and last lines.")
    var dead = false

    @Argument var id: String

    func run() async throws {
        try await head.withClient { client in
            let tasks = dead ? try await client.deadTasks(of: id) : try await client.tasks(of: id)
            if head.json { return try writeJSON(tasks) }
            if tasks.isEmpty { return writeOut("No task of job '\(id)' failed for good.\n") }
            writeOut(TaskTable.render(tasks))
            guard dead else { return }
            var logged = LoggedLines(of: tasks)
            if !logged.isEmpty {
                for try await event in client.events(of: id, follows: false) {
                    if case .log(let line, _) = event { logged.read(line) }
                }
            }
            for task in tasks { writeOut(TaskTable.attempts(of: task, logged)) }
            writeOut("\nTry one again with: job retry \(id) --task \(tasks[0].shortID)\n")
        }
    }
}

/// Tasks as people read them.
enum TaskTable {
    static func render(_ tasks: [TaskDetails]) -> String {
        TextTable.render(
            ["TASK", "STATE", "ATTEMPTS", "WORKER", "CAUSE"],
            tasks.map { task in
                [
                    task.shortID, task.state, "\(task.attempt)/\(task.attemptsMax)",
                    task.worker ?? "-", task.cause ?? "",
                ]
            })
    }

    /// Each attempt that is kept: its cause, and what it printed last.
    static func attempts(of task: TaskDetails, _ logged: LoggedLines) -> String {
        let attempts = task.attempts.map { attempt in
            "  attempt \(attempt.number) on \(attempt.worker), \(TextTable.time(attempt.endedAt)): "
                + "\(TextTable.plain(attempt.cause))\n"
                + (attempt.lastLines ?? []).map { "    | \(TextTable.plain($0))\n" }.joined()
                + (attempt.linesUnknown == true ? unknown(attempt, of: task, logged) : "")
        }
        return "\n\(TextTable.plain(task.shortID))\n" + attempts.joined()
    }

    /// The cluster ended the attempt by itself: no worker told what it printed last.
    private static func unknown(
        _ attempt: TaskDetails.Attempt, of task: TaskDetails, _ logged: LoggedLines
    ) -> String {
        let name = TextTable.plain(task.name)
        let lines = logged.lines(of: task.id, attempt: attempt.number)
        let head = "    (nobody could tell its last lines; the job's log has "
        guard !lines.isEmpty else { return head + "none of \(name) there until then)\n" }
        return head + "these of \(name) there until then)\n"
            + lines.map { "    | \(TextTable.plain($0))\n" }.joined()
    }
}
