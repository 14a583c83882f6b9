package import Logging

/// How log lines look.
package enum LogFormat: String, Sendable, CaseIterable {
    /// `2025-12-14T06:47:43.226366+00:00 info  gateway model loaded name=Iris version=3`
    case text
    /// `{"time":"…","level":"info","label":"gateway","message":"model loaded","name":"Iris"}`
    case json
}

/// Writes every event as one line with its fields, whatever the fields hold.
///
/// A role's start installs it: `EventLogHandler.install(format:level:)`. Message and fields are
/// escaped, so a value from outside can neither break the line nor steer a terminal. A line is cut
/// at 16 KiB.
package struct EventLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    private let label: String
    private let format: LogFormat
    private let output: any LogOutput

    package init(
        label: String, format: LogFormat, level: Logger.Level,
        output: any LogOutput = StandardErrorOutput()
    ) {
        self.label = label
        self.format = format
        self.logLevel = level
        self.output = output
    }

    /// Makes this the process's log handler. Call once, before the first `Logger`.
    package static func install(format: LogFormat, level: Logger.Level) {
        LoggingSystem.bootstrap { label in
            EventLogHandler(label: label, format: format, level: level)
        }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        output.write(line: line(for: event, at: .now()))
    }

    /// The event's line, without the line feed.
    func line(for event: LogEvent, at time: WallTime) -> [UInt8] {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let own = event.metadata { fields.merge(own) { $1 } }
        if let error = event.error { fields["error"] = "\(error)" }
        let sorted = fields.sorted { $0.key < $1.key }
        let bytes =
            switch format {
            case .json: jsonLine(event, time, sorted)
            case .text: textLine(event, time, sorted)
            }
        return bytes.count <= Self.lineBytesMax ? bytes : cut(bytes)
    }

    /// Longer lines are split by some log shippers; fields are cut to 4 KiB before that.
    private static let lineBytesMax = 16 << 10

    private func jsonLine(
        _ event: LogEvent, _ time: WallTime, _ fields: [(key: String, value: Logger.MetadataValue)]
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes.append(contentsOf: "{\"time\":\"\(time.iso8601)\",\"level\":\"\(event.level)\",".utf8)
        bytes.append(contentsOf: "\"label\":".utf8)
        JSONText.appendQuoted(label, to: &bytes)
        bytes.append(contentsOf: ",\"message\":".utf8)
        JSONText.appendQuoted(Self.bounded(event.message.description), to: &bytes)
        for (key, value) in fields {
            bytes.append(UInt8(ascii: ","))
            // The line's own keys come first and stay unique.
            JSONText.appendQuoted(Self.ownKeys.contains(key) ? key + "_" : key, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONText.appendQuoted(Self.bounded("\(value)"), to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private static let ownKeys: Set = ["time", "level", "label", "message"]

    private func textLine(
        _ event: LogEvent, _ time: WallTime, _ fields: [(key: String, value: Logger.MetadataValue)]
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        let level = "\(event.level)"
        let pad = String(repeating: " ", count: max(0, 8 - level.utf8.count))
        bytes.append(contentsOf: "\(time.iso8601) \(level)\(pad)\(label) ".utf8)
        JSONText.appendEscaped(Self.bounded(event.message.description), to: &bytes)
        for (key, value) in fields {
            bytes.append(UInt8(ascii: " "))
            JSONText.appendEscaped(key, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            let text = Self.bounded("\(value)")
            let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D }
            if isPlain, !text.isEmpty {
                JSONText.appendEscaped(text, to: &bytes)
            } else {
                JSONText.appendQuoted(text, to: &bytes)
            }
        }
        return bytes
    }

    /// A field's first 4 KiB, so that JSON lines stay whole JSON in all but absurd cases.
    private static func bounded(_ text: String) -> Substring {
        guard text.utf8.count > 4_096 else { return text[...] }
        let end = text.utf8.index(text.startIndex, offsetBy: 4_096)
        return text[..<(end.samePosition(in: text.unicodeScalars) ?? text.startIndex)]
    }

    private func cut(_ bytes: [UInt8]) -> [UInt8] {
        guard format == .json else { return Array(bytes.prefix(Self.lineBytesMax)) }
        return Array("{\"level\":\"warning\",\"message\":\"log line over 16 KiB dropped\"}".utf8)
    }
}
