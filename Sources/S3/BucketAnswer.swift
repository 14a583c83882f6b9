internal import HTTPClient

/// Texts out of the small XML that S3 answers with: elements by name, no attributes, no nesting of
/// an element in itself.
struct BucketAnswer {
    private let text: Substring

    init(_ text: some StringProtocol) { self.text = Substring(text) }

    /// The text of the first element of this name, its entities replaced.
    func first(_ name: String) -> String? {
        elements(name).next().map { BucketAnswer.plain($0.text) }
    }

    /// What stands in each element of this name, in order.
    func elements(_ name: String) -> AnyIterator<BucketAnswer> {
        var rest = text
        let (opening, closing) = ("<\(name)>", "</\(name)>")
        return AnyIterator {
            guard let start = rest.firstRange(of: opening),
                let end = rest[start.upperBound...].firstRange(of: closing)
            else { return nil }
            let content = rest[start.upperBound..<end.lowerBound]
            rest = rest[end.upperBound...]
            return BucketAnswer(content)
        }
    }

    private static func plain(_ text: Substring) -> String {
        guard text.contains("&") else { return String(text) }
        var plain = ""
        var rest = text
        while let start = rest.firstIndex(of: "&") {
            plain += rest[..<start]
            rest = rest[start...]
            guard let end = rest.prefix(12).firstIndex(of: ";"),
                let character = character(of: rest[rest.index(after: start)..<end])
            else {
                plain.append(rest.removeFirst())
                continue
            }
            plain.append(character)
            rest = rest[rest.index(after: end)...]
        }
        return plain + rest
    }

    private static func character(of entity: Substring) -> Character? {
        switch entity {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard entity.hasPrefix("#") else { return nil }
            let digits = entity.dropFirst()
            let value =
                digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return value.flatMap(Unicode.Scalar.init).map(Character.init)
        }
    }
}

extension BucketError.Cause {
    /// What an answer means that is not the one hoped for.
    init(_ response: HTTPResponse) {
        let answer = BucketAnswer(response.bodyText.prefix(8_192))
        let code = String((answer.first("Code") ?? "").prefix(100))
        let message = String((answer.first("Message") ?? "").prefix(300))
        let region = response.headers["x-amz-bucket-region"] ?? answer.first("Region")
        switch (response.status, code) {
        case (_, "NoSuchBucket"): self = .noBucket
        case (_, "XAmzContentSHA256Mismatch"), (_, "BadDigest"): self = .otherBytes
        case (_, "PermanentRedirect"), (_, "AuthorizationHeaderMalformed"),
            (_, "IllegalLocationConstraintException"), (301, _), (307, _):
            self = .wrongRegion(region.map { String($0.prefix(64)) })
        // A HEAD has no body to say more.
        case (400, "") where region != nil:
            self = .wrongRegion(region.map { String($0.prefix(64)) })
        case (404, _): self = .missing
        case (412, _), (409, "ConditionalRequestConflict"): self = .conflict
        case (401, _), (403, _): self = .denied(code: code.isEmpty ? "403" : code)
        default: self = .answered(status: response.status, code: code, message: message)
        }
    }
}
