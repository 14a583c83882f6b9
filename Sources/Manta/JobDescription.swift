import ArgumentParser
import Foundation

/// What a script declares, printed as one line of JSON in the role `describe`. The worker asks
/// for it once after compiling, so that a script that is wrong fails there and not in the middle
/// of a run.
struct JobDescription: Codable, Hashable {
    struct Option: Codable, Hashable {
        /// As written on the command line: "--width".
        var name: String
        var isOptional: Bool
        var defaultValue: String?
        var help: String?
    }

    /// Manta's version.
    var manta: String
    var tasks: [String]
    var options: [Option]

    init(of options: (some JobOptions).Type, tasks: [String]) {
        manta = MantaVersion.current
        self.tasks = tasks
        self.options = Self.options(of: options)
    }

    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// ArgumentParser describes a command's arguments when asked with this flag; what it says is
    /// for people, so a part that is missing is left out.
    private static func options<Options: JobOptions>(of type: Options.Type) -> [Option] {
        guard case .message(let json) = ParsedOptions<Options>.parse(["--experimental-dump-help"]),
            let dump = try? JSONDecoder().decode(HelpDump.self, from: Data(json.utf8))
        else { return [] }
        return (dump.command.arguments ?? []).compactMap { argument in
            guard argument.shouldDisplay != false, let name = argument.displayName, name != "--help"
            else { return nil }
            return Option(
                name: name, isOptional: argument.isOptional ?? true,
                defaultValue: argument.defaultValue, help: argument.abstract)
        }
    }
}

/// The part of ArgumentParser's description that is used here.
private struct HelpDump: Decodable {
    struct Command: Decodable { var arguments: [Argument]? }
    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        var shouldDisplay: Bool?
        var isOptional: Bool?
        var preferredName: Name?
        var valueName: String?
        var defaultValue: String?
        var abstract: String?

        var displayName: String? {
            guard let preferredName else { return valueName.map { "<\($0)>" } }
            return (preferredName.kind == "long" ? "--" : "-") + preferredName.name
        }
    }

    var command: Command
}
