import DecisionForests
import Foundation
import ModelFormats

/// What it costs to make a `model.manta` ready to answer, measured in this process.
struct LoadFigures: Sendable {
    /// Bytes of the file.
    let fileSize: Int
    /// Seconds of reading the file into memory, median.
    let readSeconds: Double
    /// Seconds of checksum and checks, up to a model, median.
    let decodeSeconds: Double
    /// Seconds from the model to its predictor, median.
    let buildSeconds: Double
    /// Seconds of all three together, median.
    let loadSeconds: Double
    /// Bytes of memory of its own by which the process grew when it loaded the file once more and
    /// only the predictor was left. Noise of some pages in both directions.
    let residentSize: Int
    /// What was loaded.
    let predictor: Predictor

    /// Loads the file once for its size in memory, then `repetitions` times for its time.
    init(of path: String, repetitions: Int = 21) throws {
        precondition(repetitions > 0)
        // Code and tables that the first load brings and every other shares are not the model's.
        _ = try ModelFile.load(path).predictor()
        ProcessUsage.returnFreedMemory()
        let before = ProcessUsage.ownMemory
        predictor = try ModelFile.load(path).predictor()
        ProcessUsage.returnFreedMemory()
        residentSize = ProcessUsage.ownMemory - before

        var times: [[Double]] = [[], [], [], []]
        var size = 0
        for _ in 0..<repetitions {
            let start = ContinuousClock.now
            let bytes = try BoundedFile.storage(path, sizeMax: ModelFile.sizeMax)
            let read = ContinuousClock.now
            let model = try ModelFile.decodeWithDigest(bytes).model
            let decoded = ContinuousClock.now
            _ = try model.predictor()
            let end = ContinuousClock.now
            size = bytes.count
            for (index, time) in [read - start, decoded - read, end - decoded, end - start]
                .enumerated()
            {
                times[index].append(time / .seconds(1))
            }
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        fileSize = size
        (readSeconds, decodeSeconds) = (medians[0], medians[1])
        (buildSeconds, loadSeconds) = (medians[2], medians[3])
    }
}
