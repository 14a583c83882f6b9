import Foundation

/// The part of a Swift package's manifest that a job's build acts on, as `swift package
/// dump-package` prints it.
struct PackageManifest: Decodable, Hashable, Sendable {
    var name: String
    var targets: [Target]

    struct Target: Decodable, Hashable, Sendable {
        var name: String
        /// "executable", "regular", "test", "system", "macro", "plugin", "binary".
        var type: String
        var path: String?
        var exclude: [String]?
        var sources: [String]?
        var dependencies: [Dependency]
        var resources: [Resource]?
        var settings: [Setting]?
    }

    struct Resource: Decodable, Hashable, Sendable {
        var path: String
    }

    /// `{"target": ["Name", condition]}`, and alike "byName" and "product".
    struct Dependency: Decodable, Hashable, Sendable {
        var kind: String
        var name: String

        init(kind: String, name: String) {
            self.kind = kind
            self.name = name
        }

        init(from decoder: any Decoder) throws {
            let body = try decoder.container(keyedBy: AnyKey.self)
            guard let key = body.allKeys.first else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "an empty dependency"))
            }
            var list = try body.nestedUnkeyedContainer(forKey: key)
            self.init(kind: key.stringValue, name: try list.decode(String.self))
        }
    }

    /// `{"tool": "swift", "kind": {"define": {"_0": "NAME"}}, "condition": {"config": "debug"}}`.
    struct Setting: Decodable, Hashable, Sendable {
        var tool: String
        var kind: String
        /// What the setting names, when it names one thing.
        var value: String?
        var platforms: [String]
        var configuration: String?

        init(tool: String, kind: String, value: String?) {
            (self.tool, self.kind, self.value) = (tool, kind, value)
            (platforms, configuration) = ([], nil)
        }

        init(from decoder: any Decoder) throws {
            let body = try decoder.container(keyedBy: AnyKey.self)
            tool = try body.decode(String.self, forKey: AnyKey("tool"))
            let kinds = try body.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("kind"))
            let key = kinds.allKeys.first ?? AnyKey("")
            kind = key.stringValue
            let payload = try? kinds.nestedContainer(keyedBy: AnyKey.self, forKey: key)
            value = try? payload?.decode(String.self, forKey: AnyKey("_0"))
            let condition = try? body.decode(Condition.self, forKey: AnyKey("condition"))
            platforms = condition?.platformNames ?? []
            configuration = condition?.config
        }

        /// Jobs are built for Linux, as a release.
        var applies: Bool {
            (platforms.isEmpty || platforms.contains("linux"))
                && (configuration ?? "release") == "release"
        }

        private struct Condition: Decodable {
            var platformNames: [String]?
            var config: String?
        }
    }

    private struct AnyKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
