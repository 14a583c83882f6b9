internal import HTTPClient

/// Values inside MLflow's filter language, which has no escapes.
enum SearchFilter {
    /// `value` in quotes it does not contain itself.
    static func literal(
        _ value: String, operation: String
    ) throws(MLflowError) -> String {
        if !value.contains("'") { return "'\(value)'" }
        if !value.contains("\"") { return "\"\(value)\"" }
        throw MLflowError(
            .invalidValue, operation: operation, subject: value,
            message: "MLflow cannot search for a name with both kinds of quotes")
    }

    static func effect(_ key: EffectKey) -> String {
        "tags.`\(EffectKey.tag)` = '\(key.text)'"
    }
}

/// The name of something that must be made once: the value of the tag `manta.effect`.
///
/// A restarted driver looks the tag up before it creates a run, a logged model or a version, and
/// finds what its predecessor made.
package struct EffectKey: Sendable, Hashable {
    package static let tag = "manta.effect"

    /// Never has a quote: outside the plain characters it is percent-encoded. `%` itself is
    /// outside, so two keys never become the same text.
    let text: String

    package init(_ key: String) throws(MLflowError) {
        let isPlain = key.utf8.allSatisfy(EffectKey.isPlain)
        text = isPlain ? key : EffectKey.encode(key)
        guard !key.isEmpty, text.utf8.count <= 1000 else {
            throw MLflowError(
                .invalidValue, operation: "read the effect key", subject: key,
                message: "it must have 1 to 1000 characters")
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "-._:/@#=+".utf8.contains(byte)
        }
    }

    private static func encode(_ key: String) -> String {
        PercentEncoding.segment(key)
    }
}
