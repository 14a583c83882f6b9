import ArgumentParser
import Cluster
import Foundation

/// Where and when a job runs.
struct PlacingOptions: ParsableArguments {
    @Option(help: "CPUs set aside for the entrypoint itself.")
    var entrypointNumCpus: Double?

    @Option(help: "GPUs set aside for the entrypoint itself.")
    var entrypointNumGpus: Int?

    @Option(help: "Memory of the entrypoint itself, with a unit (4GiB).")
    var entrypointMemory: String?

    @Option(
        name: [.customLong("resources"), .customLong("entrypoint-resources")],
        help: "Whatever else its worker must have, as JSON: '{\"licence\": 1}'.")
    var resources: String?

    @Option(help: "Jobs with a higher priority start first.")
    var priority: Int?

    @Option(help: "The pool it and its tasks run in: workers started with --pool.")
    var pool: String?

    @Option(help: "Begin when this job has succeeded; repeatable.")
    var after: [String] = []

    @Option(help: "How long the job may take, its wait included: 90s, 10m, 1h30m.")
    var timeout: String?

    @Option(help: "How long the job may wait for a worker.")
    var scheduleToStart: String?

    @Option(help: "Submit at these times in place of now: minute hour day month weekday, in UTC.")
    var cron: String?

    @Option(help: "The name of the schedule that --cron makes or replaces.")
    var scheduleName: String?

    func validate() throws {
        if let entrypointNumCpus, !(0...10_000).contains(entrypointNumCpus) {
            throw ValidationError(
                "--entrypoint-num-cpus must be in 0…10000, not \(entrypointNumCpus).")
        }
        if cron != nil, scheduleName == nil {
            throw ValidationError("--cron needs --schedule-name NAME, to find the schedule again.")
        }
        if cron == nil, scheduleName != nil {
            throw ValidationError("--schedule-name needs --cron '0 3 * * *'.")
        }
        if cron != nil, !after.isEmpty {
            throw ValidationError(
                "--after does not go with --cron: a fire comes after no other job.")
        }
    }

    /// - Throws: `SettingError` for what cannot be read.
    func apply(to request: inout SubmitRequest) throws {
        request.cpus = entrypointNumCpus
        request.gpus = entrypointNumGpus.map(Double.init)
        request.memoryInBytes = try entrypointMemory.map { Double(try ByteSize($0).bytes) }
        request.resources = try resources.map(PlacingOptions.amounts)
        request.priority = priority
        request.pool = pool
        request.after = after.isEmpty ? nil : after
        request.timeoutInSeconds = try timeout.map { try TimeSpan($0).seconds }
        request.scheduleToStartInSeconds = try scheduleToStart.map { try TimeSpan($0).seconds }
    }

    private static func amounts(_ text: String) throws -> [String: Double] {
        do {
            return try JSONDecoder().decode([String: Double].self, from: Data(text.utf8))
        } catch {
            throw SettingError(
                "--resources takes an object of numbers, like '{\"licence\": 1}', not "
                    + "'\(text.prefix(200))'.")
        }
    }
}
