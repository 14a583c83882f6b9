/// A number that MLflow may send as a number or as a string: times, steps, versions.
struct LooseInteger: Codable, Sendable, Hashable {
    let value: Int64

    init(_ value: Int64) {
        self.value = value
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            guard let value = Int64(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "not an integer")
            }
            self.value = value
        } else {
            value = try container.decode(Int64.self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// A metric's value: a number, or for what JSON has no number, one of three words.
struct MetricValue: Codable, Sendable, Hashable {
    let value: Double

    init(_ value: Double) {
        self.value = value
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            guard let value = Double(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "not a number")
            }
            self.value = value
        } else {
            value = try container.decode(Double.self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value.isNaN {
            try container.encode("NaN")
        } else if value.isInfinite {
            try container.encode(value > 0 ? "Infinity" : "-Infinity")
        } else {
            try container.encode(value)
        }
    }
}

/// Tags and parameters travel as lists of pairs.
struct Pair: Codable, Sendable, Hashable {
    var key: String?
    var value: String?

    static func list(_ values: [String: String]) -> [Pair] {
        values.sorted { $0.key < $1.key }.map { Pair(key: $0.key, value: $0.value) }
    }

    static func dictionary(_ pairs: [Pair]?) -> [String: String] {
        var values: [String: String] = [:]
        for pair in pairs ?? [] {
            if let key = pair.key { values[key] = pair.value ?? "" }
        }
        return values
    }
}

/// A field the answer must have and has not.
struct MissingField: Error {
    let name: String
}

extension Optional {
    func required(_ name: String) throws(MissingField) -> Wrapped {
        guard let self else { throw MissingField(name: name) }
        return self
    }
}

extension ServerChannel {
    /// Performs a call and makes a value of its answer.
    func perform<Wire: Decodable, Value>(
        _ call: Call, as type: Wire.Type, make: (Wire) throws(MissingField) -> Value
    ) async throws(MLflowError) -> Value {
        let wire = try await perform(call, as: type)
        do throws(MissingField) {
            return try make(wire)
        } catch {
            throw MLflowError(
                .invalidAnswer, operation: call.operation, subject: call.subject,
                message: "the answer has no '\(error.name)'")
        }
    }
}
