import Foundation

/// A path with places for a model's name and version, such as `/v2/models/{model}/infer`.
struct RoutePattern: Sendable {
    /// What stood at a path's places, percent escapes resolved.
    struct Names: Sendable, Equatable {
        var model: String?
        var version: String?
    }

    private enum Part: Sendable {
        case text(String)
        /// A name, and what must stand behind it.
        case model(suffix: String)
        case version
    }

    private static let modelPlace = "{model}"
    private static let versionPlace = "{version}"
    private let parts: [Part]

    /// Nil for a path without places.
    init?(_ path: String) {
        guard path.contains("{") else { return nil }
        parts = path.split(separator: "/").map { part in
            if part.hasPrefix(Self.modelPlace) {
                return .model(suffix: String(part.dropFirst(Self.modelPlace.count)))
            }
            return part == Self.versionPlace ? .version : .text(String(part))
        }
    }

    /// The names in `path`, or nil where it has another form.
    func names(in path: Substring) -> Names? {
        let pieces = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard pieces.count == parts.count else { return nil }
        var names = Names()
        for (part, piece) in zip(parts, pieces) {
            switch part {
            case .text(let text):
                guard piece == text else { return nil }
            case .model(let suffix):
                guard let name = Self.plain(piece), name.hasSuffix(suffix),
                    name.utf8.count > suffix.utf8.count
                else { return nil }
                names.model = String(name.dropLast(suffix.count))
            case .version:
                guard let version = Self.plain(piece) else { return nil }
                names.version = version
            }
        }
        return names
    }

    /// The text that a path's piece stands for: 1 to 256 bytes of UTF-8.
    private static func plain(_ piece: Substring) -> String? {
        guard !piece.isEmpty, piece.utf8.count <= 3 * 256,
            let text = String(piece).removingPercentEncoding, (1...256).contains(text.utf8.count)
        else { return nil }
        return text
    }
}
