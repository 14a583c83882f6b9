import DecisionForests
import Foundation
import ModelFormats

/// Where a command's lines go: a file that appears whole at the end, or standard output.
struct AnswerSink {
    private let file: AnswerFile?
    /// Whether a line on the terminal may say how far the command is.
    let showsProgress: Bool

    fileprivate init(_ file: AnswerFile?, showsProgress: Bool) {
        (self.file, self.showsProgress) = (file, showsProgress)
    }

    func write(_ bytes: [UInt8]) throws {
        guard let file else { return writeOut(String(decoding: bytes, as: UTF8.self)) }
        try file.append(bytes)
    }

    func write(_ text: String) throws { try write(Array(text.utf8)) }
}

/// Runs what answers from the model directory `path`, on a thread of its own, with the hot loops
/// that are asked for. `output` names the file for the lines; nil stands for standard output. A
/// failure or a signal leaves no file behind.
func answering(
    from path: String, to output: String?,
    _ body: @escaping @Sendable (TrainedModel, AnswerSink) throws -> Void
) async throws {
    let environment = Environment.current()
    try environment.chooseKernels()
    let interruption = Interruption()
    try await interruption.during {
        let loaded = try readModel(path)
        let file = try output.map(AnswerFile.init)
        if let file { interruption.onFailure { file.discard() } }
        let showsProgress =
            ProgressLine.isPossible(environment) && (output != nil || isatty(1) == 0)
        try await onOwnThread {
            try body(loaded.model, AnswerSink(file, showsProgress: showsProgress))
        }
        try interruption.withoutBreak { try file?.moveIn() }
    }
}

extension RowStream {
    /// The rows of these files as the model reads them.
    convenience init(_ paths: [String], for model: TrainedModel, threads: Int) throws {
        var options = Options()
        options.threads = threads
        try self.init(
            paths, names: model.featureNames, kinds: model.featureKinds, options: options)
    }
}
