import DecisionForests
import Foundation
import ModelFormats

/// What libFuzzer calls with bytes of its own making: reading them must end in a model that keeps
/// every rule or in an error, and such a model must predict, alone and in batches alike.
///
/// The bytes are read as they are and with size and checksum put right, so that mutations reach
/// what stands behind them.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    check(input)
    check(repaired(input))
    return 0
}

/// Called once: writes real models to start from into the folder that `MANTA_FUZZ_SEEDS` names.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<Int32>?,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> Int32 {
    guard let folder = ProcessInfo.processInfo.environment["MANTA_FUZZ_SEEDS"] else { return 0 }
    do {
        for (name, model) in try seeds() {
            let path = URL(filePath: folder).appending(path: name)
            try Data(try ModelFile.encode(model)).write(to: path)
        }
    } catch {
        stop("the seeds could not be made: \(error)")
    }
    return 0
}

/// Small models of every kind.
private func seeds() throws -> [(String, TrainedModel)] {
    let classes = try makeClassification(samples: 120, features: 5, informative: 3, seed: 1)
    let numbers = try makeRegression(samples: 120, features: 6, informative: 4, seed: 2)
    let rounds = try BoosterParameters(named: ["num_iterations": "4", "min_data_in_leaf": "3"])
    let kinds = try kinds()
    return [
        ("forest", try RandomForestClassifier(trees: 3, maxDepth: 4, seed: 1).fit(classes)),
        ("forest-of-numbers", try RandomForestRegressor(trees: 2, maxDepth: 5).fit(numbers)),
        ("forest-of-kinds", try RandomForestClassifier(trees: 3, maxDepth: 6).fit(kinds)),
        ("booster", try GradientBoostingClassifier(rounds).fit(classes)),
        ("booster-of-numbers", try GradientBoostingRegressor(rounds).fit(numbers)),
        ("oblique", try ObliqueForestClassifier(trees: 2, maxDepth: 3).fit(classes)),
        ("linear", try RidgeRegression().fit(numbers)),
    ]
}

/// Columns of all kinds, with missing values.
private func kinds() throws -> Dataset {
    let levels = (0..<40).map { "level \($0)" }
    let codes: [Float] = (0..<200).map { $0 % 11 == 0 ? .nan : Float($0 * 7 % 40) }
    let numbers: [Float] = (0..<200).map { Float($0 * 13 % 29) }
    let flags: [Float] = (0..<200).map { $0 % 5 == 0 ? .nan : Float($0 % 2) }
    return try Dataset(
        columns: [codes, numbers, flags], featureNames: ["code", "number", "flag"],
        featureKinds: [.categorical(levels: levels), .numeric, .boolean],
        target: .classes(
            labels: [.integer(0), .integer(1)],
            indices: (0..<200).map { $0 * 7 % 40 * 3 % 5 > 1 ? 1 : 0 }), targetName: "y")
}

private func repaired(_ input: [UInt8]) -> [UInt8] {
    guard input.count >= 640 else { return input }
    var bytes = input
    let size = withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Array($0) }
    bytes.replaceSubrange(16..<24, with: size)
    let checksum = bytes.withUnsafeBytes {
        bytes[8] == 2 ? ModelFile.checksumOfVersion2($0) : ModelFile.checksum(of: $0)
    }
    bytes.replaceSubrange(24..<24 + checksum.count, with: checksum)
    return bytes
}

private func check(_ bytes: [UInt8]) {
    guard let model = try? ModelFile.decode(bytes) else { return }
    do {
        let width = model.featureNames.count
        let values: [Float] = [0, -0.0, .nan, .infinity, -.infinity, 1, -1e30, 3e38, 1e-40, 17.5]
        var rows: [Float] = []
        let rowCount = min(70, max(2, 200_000 / width))
        for row in 0..<rowCount {
            for feature in 0..<width {
                let place = (row * width + feature) * 31 + row * 7
                rows.append(values[place % values.count])
            }
        }
        let predictor = try model.predictor()
        let scores = try predictor.predict(FeatureMatrix(values: rows, featureCount: width))
        let alone = try predictor.predict(
            FeatureMatrix(values: Array(rows.prefix(width)), featureCount: width))
        guard scores.prefix(alone.count).map(\.bitPattern) == alone.map(\.bitPattern) else {
            stop("a row alone and in a batch got different answers")
        }
        guard try ModelFile.decode(try ModelFile.encode(model)) == model else {
            stop("the model is not the same after writing and reading")
        }
    } catch {
        stop("an accepted model cannot be used: \(error)")
    }
}

/// Ends the process in a way that libFuzzer reports with the input.
private func stop(_ problem: String) -> Never {
    FileHandle.standardError.write(Data((problem + "\n").utf8))
    abort()
}
