import Logging
import Synchronization
import Testing

@testable import Telemetry

@Suite struct EventLogHandlerTests {
    final class Lines: LogOutput {
        let all = Mutex<[String]>([])
        func write(line: [UInt8]) {
            all.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
    }

    func logger(_ format: LogFormat, _ lines: Lines) -> Logger {
        Logger(label: "gateway") { label in
            EventLogHandler(label: label, format: format, level: .debug, output: lines)
        }
    }

    @Test("A text line holds time, level, label, message and sorted fields")
    func textLine() throws {
        let lines = Lines()
        var logger = logger(.text, lines)
        logger[metadataKey: "node"] = "w 1"
        logger.info("model loaded", metadata: ["version": "3", "name": "Iris"])
        let line = try #require(lines.all.withLock { $0.first })
        #expect(line.hasSuffix(" info    gateway model loaded name=Iris node=\"w 1\" version=3"))
        #expect(line.contains("+00:00 "))
    }

    @Test("A JSON line survives quotes, line feeds and terminal escapes in its values")
    func jsonLine() throws {
        let lines = Lines()
        logger(.json, lines).warning(
            "a\nb", metadata: ["x": "q\"\u{1B}[31m\u{9B}", "level": "mine"])
        let line = try #require(lines.all.withLock { $0.first })
        #expect(line.hasPrefix("{\"time\":\"20"))
        #expect(
            line.hasSuffix(
                ",\"level\":\"warning\",\"label\":\"gateway\",\"message\":\"a\\nb\","
                    + "\"level_\":\"mine\",\"x\":\"q\\\"\\u001b[31m\\u009b\"}"))
    }

    @Test("A flood in one field is cut, and the line stays one line")
    func bounded() throws {
        let lines = Lines()
        logger(.json, lines).error(
            "x", metadata: ["big": "\(String(repeating: "é", count: 99_999))"])
        let line = try #require(lines.all.withLock { $0.first })
        #expect(line.utf8.count < 5_000)
        #expect(line.hasSuffix("é\"}"))
    }

    @Test("Events below the level are not written")
    func level() {
        let lines = Lines()
        logger(.text, lines).trace("nothing")
        #expect(lines.all.withLock { $0.isEmpty })
    }
}

@Suite struct RequestLabelTests {
    @Test(
        "A caller's label is kept only if it is harmless",
        arguments: [
            ("abc-1._Z", true), ("", false), ("a b", false), ("é", false), ("a\r\nX: y", false),
            (String(repeating: "a", count: 128), true), (String(repeating: "a", count: 129), false),
        ])
    func acceptance(_ text: String, _ isKept: Bool) {
        #expect((RequestLabel(header: text).description == text) == isKept)
    }

    @Test("A made label is a UUID of version 7 that sorts by time")
    func uuid() {
        let early = RequestLabel.makeUUIDv7(at: WallTime(microseconds: 1_765_694_863_226_366))
        let late = RequestLabel.makeUUIDv7(at: WallTime(microseconds: 1_765_694_864_226_366))
        let pattern = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(early.wholeMatch(of: pattern) != nil)
        #expect(early.hasPrefix("019b1b9d-777a-7") && early < late)
        #expect(RequestLabel.isAcceptable(early))
    }

    @Test(
        "Times are ISO 8601 in UTC with microseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000000+00:00"),
            (1_765_694_863_226_366, "2025-12-14T06:47:43.226366+00:00"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001+00:00"),
            (-1, "1969-12-31T23:59:59.999999+00:00"),
        ])
    func wallTime(_ microseconds: Int64, _ text: String) {
        #expect(WallTime(microseconds: microseconds).iso8601 == text)
    }
}
