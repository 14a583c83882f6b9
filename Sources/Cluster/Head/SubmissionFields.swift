import Foundation
import NIOCore

/// The fields a submission may have: what is not known is refused, so that a misspelt field, or one
/// that nothing here would act on, is seen.
enum SubmissionFields {
    /// - Throws: `HeadFailure` 400 naming the first unknown field.
    static func check(_ body: ByteBuffer) throws {
        try check(HeadJSON.decode(Fields.self, from: body))
    }

    /// As above, for the body of a schedule.
    static func check(schedule body: ByteBuffer) throws {
        let fields = try HeadJSON.decode(ScheduleFields.self, from: body)
        try check(fields.names, known: ["cron", "job"])
        try check(fields.job)
    }

    private static func check(_ fields: Fields) throws {
        try check(
            fields.names,
            known: SubmitRequest.CodingKeys.allCases.map(\.rawValue)
                // Ray's clients may send it; it means nothing here.
                + ["job_id"])
        try check(
            fields.environment, of: "runtime_env",
            // The last two are for Ray's client itself, which has acted on them already.
            known: ["working_dir", "env_vars", "excludes", "config"],
            next: "; what the job needs besides must be installed on the workers")
        try check(
            fields.script, of: "manta_script", known: ["file_name", "digest", "arguments"])
    }

    private static func check(
        _ names: [String], of parent: String? = nil, known: [String], next: String = ""
    ) throws {
        guard let unknown = names.filter({ !known.contains($0) }).min() else { return }
        let name = (parent.map { $0 + "." } ?? "") + unknown.prefix(64)
        throw HeadFailure(
            400, "unknown_field",
            "unknown field '\(name)'; known are \(known.sorted().joined(separator: ", "))\(next)")
    }

    private struct AnyKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// The names of a schedule's fields and of those of its job.
    private struct ScheduleFields: Decodable {
        let names: [String]
        let job: Fields

        init(from decoder: any Decoder) throws {
            let body = try decoder.container(keyedBy: AnyKey.self)
            names = body.allKeys.map(\.stringValue)
            job = try body.decode(Fields.self, forKey: AnyKey("job"))
        }
    }

    /// The names of a body's fields and of those in its two objects.
    private struct Fields: Decodable {
        let names: [String]
        let environment: [String]
        let script: [String]

        init(from decoder: any Decoder) throws {
            let body = try decoder.container(keyedBy: AnyKey.self)
            names = body.allKeys.map(\.stringValue)
            environment = try Fields.names(in: body, under: "runtime_env")
            script = try Fields.names(in: body, under: "manta_script")
        }

        private static func names(
            in body: KeyedDecodingContainer<AnyKey>, under key: String
        ) throws -> [String] {
            let key = AnyKey(key)
            guard body.contains(key), try !body.decodeNil(forKey: key) else { return [] }
            return try body.nestedContainer(keyedBy: AnyKey.self, forKey: key)
                .allKeys.map(\.stringValue)
        }
    }
}
