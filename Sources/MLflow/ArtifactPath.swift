/// A path below the root of an artifact store, or below a local folder: relative, plain, and never
/// leading out of it. Every name a server sends becomes one before it is used.
package struct ArtifactPath: Sendable, Hashable {
    package let segments: [String]

    package static let root = ArtifactPath(unchecked: [])
    static let lengthMax = 1024

    private init(unchecked segments: [String]) {
        self.segments = segments
    }

    /// - Throws: `invalidAnswer` for an absolute path, `..`, `.`, an empty segment, a backslash or a
    ///   control character, also where they are percent-encoded, once or again.
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
        var text = String(segment)
        // Some stores and servers decode more than once: what is harmless now must stay so.
        for _ in 0..<3 {
            guard !text.isEmpty, text != ".", text != "..", !text.contains("\\"),
                !text.contains("/"),
                text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
            else { return false }
            guard let decoded = decoded(text), decoded != text else { return true }
            text = decoded
        }
        return false
    }

    /// Percent-escapes resolved; `nil` when there are none or the result is no text.
    private static func decoded(_ text: String) -> String? {
        guard text.contains("%") else { return nil }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2,
                let value = UInt8(digits, radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
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
