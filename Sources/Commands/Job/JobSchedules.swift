import ArgumentParser
import Cluster

struct JobSchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Show or end schedules; `job submit --cron` makes them.",
        subcommands: [ScheduleListCommand.self, ScheduleDeleteCommand.self],
        defaultSubcommand: ScheduleListCommand.self)
}

struct ScheduleListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the schedules; times are UTC.")

    @OptionGroup var head: HeadOptions

    func run() async throws {
        try await head.withClient { client in
            let schedules = try await client.schedules()
            if head.json { return try writeJSON(schedules) }
            if schedules.isEmpty {
                return writeOut(
                    "No schedules. Make one with: "
                        + "job submit --cron '0 3 * * *' --schedule-name nightly train.swift\n")
            }
            let rows = schedules.map { schedule in
                [
                    schedule.name, schedule.cron, schedule.pool, TextTable.time(schedule.nextFire),
                    schedule.lastJob ?? "-", schedule.entrypoint,
                ]
            }
            writeOut(
                TextTable.render(
                    ["NAME", "CRON", "POOL", "NEXT FIRE", "LAST JOB", "ENTRYPOINT"], rows))
        }
    }
}

struct ScheduleDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "End a schedule; jobs that it submitted stay.")

    @OptionGroup var head: HeadOptions

    @Argument var name: String

    func run() async throws {
        try await head.withClient { client in
            try await client.deleteSchedule(name)
            if head.json { return try writeJSON(["deleted": true]) }
            writeOut("Schedule '\(name)' is gone.\n")
        }
    }
}
