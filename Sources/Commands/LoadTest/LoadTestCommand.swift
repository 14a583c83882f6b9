import ArgumentParser
import Foundation

struct LoadTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load-test",
        abstract: "Ask a server at a fixed rate and show how long its replies take.",
        discussion: """
            manta load-test http://localhost:8000/predict --rate 2000 --duration 30s \
            --data '{"features": [[1, 2, 3]]}'

            Requests are due at fixed times, whatever the server does; a latency runs from when \
            its request was due: a server that stops is charged with all who would have asked \
            meanwhile. Ends with exit code 1 when a request had no reply or a reply was no 2xx.
            """)

    @Argument(help: "http://HOST:PORT/PATH")
    var url: String

    @Option(help: "Requests per second.")
    var rate = 1_000.0

    @Option(help: "How long requests are sent, such as 30s.")
    var duration = "10s"

    @Option(help: "Sent first and not counted, such as 2s.")
    var warmUp = "0s"

    @Option(help: "Connections that are kept open.")
    var connections = 64

    @Option(help: "The body, or a file with an at sign before its name; the method is POST then.")
    var data: String?

    @Option(help: "The method; default: GET, or POST with a body.")
    var method: String?

    @Option(help: "A further field, 'Name: value'; repeatable.")
    var header: [String] = []

    @Option(help: "even, or poisson: as of many callers who know nothing of each other.")
    var arrivals = "even"

    @Option(help: "Seconds without a byte after which a request counts as lost.")
    var timeout = 30

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let test = try loadTest()
        let outcome = await test.run()
        let report = LoadReport(test, outcome, url: url)
        if json { try writeJSON(report) } else { writeOut(report.text) }
        guard outcome.failures.isEmpty, outcome.statuses.keys.allSatisfy({ (200..<300) ~= $0 })
        else { throw ExitCode(ExitStatus.failure) }
    }

    private func loadTest() throws -> LoadTest {
        guard (0.01...1_000_000).contains(rate) else {
            throw SettingError("--rate must be in 0.01...1000000 requests/s, not \(rate).")
        }
        guard (1...4_096).contains(connections) else {
            throw SettingError("--connections must be in 1...4096, not \(connections).")
        }
        guard (1...3_600).contains(timeout) else {
            throw SettingError("--timeout must be in 1...3600 seconds, not \(timeout).")
        }
        guard let spacing = ArrivalSchedule.Spacing(rawValue: arrivals) else {
            throw SettingError("--arrivals takes even or poisson, not '\(arrivals)'.")
        }
        let (time, before) = (try TimeSpan(duration).seconds, try TimeSpan(warmUp).seconds)
        guard time > 0, time + before <= 86_400 else {
            throw SettingError("--duration must be in 0...24 h.")
        }
        let address = try LoadAddress(url)
        return LoadTest(
            address: address, request: try request(address), connectionCount: connections,
            schedule: ArrivalSchedule(
                ratePerSecond: rate, duration: .seconds(time + before), spacing: spacing),
            warmUp: .seconds(before), timeoutInSeconds: timeout)
    }

    private func request(_ address: LoadAddress) throws -> [UInt8] {
        let body = try body()
        let verb = method ?? (body == nil ? "GET" : "POST")
        guard !verb.isEmpty, verb.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            throw SettingError("--method takes a word such as POST, not '\(verb)'.")
        }
        var fields = ["Host: \(address.authority)", "Accept: */*", "User-Agent: manta-load-test"]
        if let body {
            fields.append("Content-Length: \(body.count)")
            if !header.contains(where: { $0.lowercased().hasPrefix("content-type:") }) {
                fields.append("Content-Type: application/json")
            }
        }
        for field in header {
            guard field.contains(":"), !field.utf8.contains(where: { $0 < 0x20 }) else {
                throw SettingError("--header takes 'Name: value', not '\(field.prefix(200))'.")
            }
            fields.append(field)
        }
        let head = "\(verb) \(address.target) HTTP/1.1\r\n" + fields.joined(separator: "\r\n")
        return Array((head + "\r\n\r\n").utf8) + (body ?? [])
    }

    private func body() throws -> [UInt8]? {
        guard let data else { return nil }
        guard data.hasPrefix("@") else { return Array(data.utf8) }
        let path = String(data.dropFirst())
        guard let content = FileManager.default.contents(atPath: path) else {
            throw SettingError("\(path) cannot be read.")
        }
        return Array(content)
    }
}
