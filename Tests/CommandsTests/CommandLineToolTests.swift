import Foundation
import Testing

@testable import Commands

/// What the tool answers without a cluster: usage, help, exit codes.
@Suite struct CommandLineToolTests {
    private func run(_ arguments: String...) async -> CommandLineTool.Ending {
        await CommandLineTool.ending(of: arguments)
    }

    @Test(
        "Wrong usage is exit code 2, said on standard error",
        arguments: [
            ["manta", "--nonsense"], ["manta", "nonsense"], ["job", "status"],
            ["job", "status", "a", "b"], ["job", "wait", "a", "--timeout", "soon"],
            ["job", "wait", "a", "--timeout", "nan"], ["job", "wait", "a", "--timeout", "-1"],
            ["job", "wait", "a", "--timeout", "1e300"], ["job", "submit"],
            ["job", "submit", "train.py"], ["job", "submit", "a.swift", "--width", "5"],
            ["job", "submit", "--entrypoint-num-cpus", "inf", "--", "true"],
            ["job", "submit", "--env", "NOVALUE", "--", "true"],
            ["manta", "up", "--workers", "0"], ["manta", "up", "--port-offset", "60000"],
            ["manta", "up", "--cpus", "nan"], ["serve", "load", "a", "b"],
        ])
    func usage(_ arguments: [String]) async {
        let ending = await CommandLineTool.ending(of: arguments)
        #expect(ending.code == 2, "\(ending)")
        #expect(!ending.errorOutput.isEmpty && ending.output.isEmpty)
    }

    @Test("Help and the version are results: standard output, exit code 0")
    func help() async {
        for arguments in [["manta", "--help"], ["job", "-h"], ["job", "submit", "--help"]] {
            let ending = await CommandLineTool.ending(of: arguments)
            #expect(ending.code == 0 && ending.output.contains("USAGE:"))
            #expect(ending.errorOutput.isEmpty)
        }
        #expect(await run("manta", "--version").output == "\(mantaVersion)\n")
    }

    @Test("The name it is called by decides")
    func names() async {
        #expect(await run("/usr/local/bin/job", "--help").output.contains("job <subcommand>"))
        #expect(await run("serve", "--help").output.contains("serve <subcommand>"))
        #expect(await run("anything", "--help").output.contains("manta <subcommand>"))
        #expect(await run("manta", "job", "--help").output.contains("manta job"))
    }

    @Test("A cluster that is not there is exit code 6, with what to do")
    func notThere() async {
        for arguments in [
            ["job", "list"], ["job", "logs", "x"], ["job", "stop", "x"], ["job", "result", "x"],
            ["job", "submit", "--", "true"], ["serve", "status"],
        ] {
            let split = arguments.firstIndex(of: "--") ?? arguments.count
            let all =
                arguments[..<split] + ["--address", "http://127.0.0.1:1"] + arguments[split...]
            let ending = await CommandLineTool.ending(of: Array(all))
            #expect(ending.code == 6, "\(ending)")
            #expect(ending.errorOutput.hasPrefix("Error: cannot connect to http://127.0.0.1:1"))
        }
    }

    @Test("A script that is not there is exit code 3")
    func noScript() async {
        let ending = await run("job", "submit", "/no/such/train.swift")
        #expect(ending.code == 3 && ending.errorOutput.contains("/no/such/train.swift"))
    }

    @Test("A Python script named like a Swift one gets the right line to type")
    func didYouMean() async {
        let ending = await run("job", "submit", "train.py", "--", "--x", "a b")
        #expect(ending.errorOutput.contains("job submit -- train.py --x 'a b'"))
    }
}
