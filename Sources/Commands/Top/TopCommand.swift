import ArgumentParser
import Cluster
import Foundation

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch workers, queues, jobs and rates of the cluster.",
        discussion: "Redraws each second until Ctrl-C. Where the output is no terminal, and with "
            + "--once or --json, it is printed once.")

    @OptionGroup var head: HeadOptions

    @Flag(help: "Print once and end.")
    var once = false

    func run() async throws {
        try await head.withClient { client in
            let first = TopSample(try await client.clusterLoad())
            if head.json { return try writeJSON(first.details) }
            guard !once, isatty(1) == 1 else {
                let screen = TopScreen(sample: first, before: nil, address: client.address)
                return writeOut(
                    screen.lines(columns: .max, rows: .max).joined(separator: "\n") + "\n")
            }
            try await runUntilSignalled { await TopCommand.watch(client, from: first) }
        }
    }

    /// Draws until the task is cancelled, and leaves the terminal as it was.
    private static func watch(_ client: HeadClient, from first: TopSample) async {
        let terminal = TerminalScreen()
        defer { terminal.leave() }
        var (sample, before): (TopSample, TopSample?) = (first, nil)
        var trouble: String?
        while !Task.isCancelled {
            let screen = TopScreen(
                sample: sample, before: before, address: client.address, trouble: trouble)
            terminal.draw { screen.lines(columns: $0, rows: $1) }
            await terminal.waitASecondOrResize()
            do {
                let next = TopSample(try await client.clusterLoad())
                (sample, before, trouble) = (next, sample, nil)
            } catch {
                // The last figures stay, and the head is asked again.
                let words = CommandFailure(error, address: client.address).description
                trouble = words.split(separator: "\n").first.map(String.init)
            }
        }
    }
}
