/// A path below the root of an artifact store, or below a local folder: relative, plain, and never
/// leading out of it. Every name a server sends becomes one before it is used.
package struct ArtifactPath: Sendable, Hashable {
    package let segments: [String]

    package static let root = ArtifactPath(unchecked: [])
    static let lengthMax = 1024

    private init(unchecked segments: [String]) {
        self.segments = segments
    }

    /// - Throws: `invalidAnswer` for an absolute path, `..`, `.`, an empty segment, a backslash, a
    ///   control character or a percent-escape: MLflow's servers decode names once too often, so an
    ///   escape arrives as something else (`%2e%2e`), or as another file.
    package init(_ text: String) throws(MLflowError) {
        guard text.utf8.count <= ArtifactPath.lengthMax else { throw ArtifactPath.refused(text) }
        var segments: [String] = []
        for segment in text.split(separator: "/", omittingEmptySubsequences: false) {
            guard ArtifactPath.isPlain(segment) else { throw ArtifactPath.refused(text) }
            segments.append(String(segment))
        }
        self.segments = segments
    }

    /// One name inside a folder.
    static func name(_ text: String) throws(MLflowError) -> String {
        let path = try ArtifactPath(text)
        guard path.segments.count == 1 else { throw refused(text) }
        return text
    }

    package var text: String { segments.joined(separator: "/") }
    package var isRoot: Bool { segments.isEmpty }
    package var parent: ArtifactPath { ArtifactPath(unchecked: Array(segments.dropLast())) }

    package func appending(_ other: ArtifactPath) -> ArtifactPath {
        ArtifactPath(unchecked: segments + other.segments)
    }

    func appending(name: String) throws(MLflowError) -> ArtifactPath {
        ArtifactPath(unchecked: segments + [try ArtifactPath.name(name)])
    }

    /// The place of this path below a local folder.
    func below(_ folder: String) -> String {
        isRoot ? folder : folder + "/" + text
    }

    private static func isPlain(_ segment: Substring) -> Bool {
        !segment.isEmpty && segment != "." && segment != ".." && !hasPercentEscape(segment)
            && segment.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && $0.value != 0x7F && $0 != "\\"
            }
    }

    private static func hasPercentEscape(_ segment: Substring) -> Bool {
        func isHexDigit(_ byte: UInt8) -> Bool { Character(UnicodeScalar(byte)).isHexDigit }
        let bytes = Array(segment.utf8)
        return bytes.indices.dropLast(2).contains {
            bytes[$0] == UInt8(ascii: "%") && isHexDigit(bytes[$0 + 1])
                && isHexDigit(bytes[$0 + 2])
        }
    }

    private static func refused(_ text: String) -> MLflowError {
        MLflowError(
            .invalidAnswer, operation: "use the artifact path", subject: text,
            message: "it is not a plain relative path")
    }
}

/// A file or folder of an artifact store.
package struct ArtifactEntry: Sendable, Hashable {
    package let path: ArtifactPath
    package let isFolder: Bool
    /// Of a file, when the store knows it.
    package let size: Int64?
}
