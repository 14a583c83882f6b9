public import DecisionForests

import HTTPClient

extension Dataset {
    /// A CSV that comes over the network is at most this large.
    public static let downloadSizeMax = 1 << 30

    /// Reads a CSV with a header line from a file, or from an `http(s)` address.
    ///
    /// - Parameters:
    ///   - pathOrURL: a path below the job's working directory, or an address.
    ///   - target: the column to predict; every other one is a feature.
    ///   - task: whether the target holds classes or numbers.
    /// - Throws: `DatasetError` for what the file holds, `JobError.unusableInput` for what the
    ///   server answers.
    public static func load(
        csv pathOrURL: String, target: String, task: TargetKind = .automatic
    ) async throws -> Dataset {
        try await load(csv: pathOrURL, options: ReadOptions(target: target, task: task))
    }

    /// The same with weights, groups, columns left out and whatever else `options` say.
    ///
    /// - Throws: `DatasetError` for what the file holds, `JobError.unusableInput` for what the
    ///   server answers.
    public static func load(
        csv pathOrURL: String, options: ReadOptions
    ) async throws -> Dataset {
        guard isAddress(pathOrURL) else {
            var options = options
            options.format = .csv
            return try Dataset.load([pathOrURL], options: options)
        }
        let bytes = try await download(pathOrURL)
        return try Dataset.load(csvBytes: bytes, named: pathOrURL, options: options)
    }

    private static func isAddress(_ text: String) -> Bool {
        text.hasPrefix("http://") || text.hasPrefix("https://")
    }

    private static func download(_ address: String) async throws -> [UInt8] {
        var request = HTTPRequest(.get, address, timeout: .seconds(600), bodyMax: downloadSizeMax)
        request.redirectsMax = 5
        request.idleTimeout = .seconds(60)
        let response = try await HTTPClient().send(request, retrying: .repeatable)
        guard response.isSuccess else {
            throw JobError.unusableInput(
                subject: address, reason: "the server answers with status \(response.status)")
        }
        return response.body
    }
}
