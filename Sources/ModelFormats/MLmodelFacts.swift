package import Foundation

/// What an `MLmodel` file says about a model besides its form: who made it, when, with which
/// versions.
package struct MLmodelFacts: Sendable, Hashable {
    /// The run that trained the model.
    package var runID: String?
    /// The logged model ("m-…") this directory belongs to.
    package var modelID: String?
    /// Where the tracking server keeps the directory ("mlflow-artifacts:/4/models/m-…/artifacts").
    package var artifactPath: String?
    /// When the model was made.
    package var created: Date
    /// The MLflow release whose layout this follows.
    package var mlflowVersion: String

    /// The release the tests load written directories with.
    package static let testedMLflowVersion = "3.17.2"

    /// Facts as given. Without a model id, a UUID is derived from the model's digest.
    package init(
        created: Date, runID: String? = nil, modelID: String? = nil, artifactPath: String? = nil,
        mlflowVersion: String = testedMLflowVersion
    ) {
        self.created = created
        self.runID = runID
        self.modelID = modelID
        self.artifactPath = artifactPath
        self.mlflowVersion = mlflowVersion
    }

    /// `created` as MLflow writes it: "2026-11-21 01:20:59.175687", in UTC.
    var createdText: String {
        // Clamped to the years 0000 to 9999, which Python's datetime can read back.
        let given = created.timeIntervalSince1970
        let interval = given.isNaN ? 0 : min(max(given, -62_167_219_200), 253_402_300_799)
        let microseconds = Int64((interval * 1_000_000).rounded())
        let (seconds, fraction) = Self.floorDivision(microseconds, by: 1_000_000)
        let (days, second) = Self.floorDivision(seconds, by: 86_400)
        let date = Self.civilDate(daysSince1970: days)
        let time =
            "\(Self.digits(second / 3600)):\(Self.digits(second / 60 % 60)):"
            + "\(Self.digits(second % 60)).\(Self.digits(fraction, width: 6))"
        return "\(Self.digits(date.year, width: 4))-\(Self.digits(date.month))-"
            + "\(Self.digits(date.day)) \(time)"
    }

    /// Reads what `createdText` writes; nil for any other text.
    static func date(from text: String) -> Date? {
        let parts = text.split(whereSeparator: { "- :.".contains($0) }).map { Int64($0) }
        guard (6...7).contains(parts.count), let year = parts[0], let month = parts[1],
            let day = parts[2], let hour = parts[3], let minute = parts[4], let second = parts[5],
            (0...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let fraction = parts.count == 7 ? Double("0." + (text.split(separator: ".").last ?? "")) : 0
        let days = daysSince1970(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
        return Date(timeIntervalSince1970: Double(seconds) + (fraction ?? 0))
    }

    private static func floorDivision(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let remainder = ((value % divisor) + divisor) % divisor
        return ((value - remainder) / divisor, remainder)
    }

    private static func digits(_ value: Int64, width: Int = 2) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// The proleptic Gregorian date, counted in years that start on 1 March so that the leap day
    /// comes last.
    private static func civilDate(
        daysSince1970 days: Int64
    ) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivision(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = floorDivision(month <= 2 ? year - 1 : year, by: 400)
        let shiftedMonth = month <= 2 ? month + 9 : month - 3
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
