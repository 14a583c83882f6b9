import DecisionForests
import ModelFormats
import NIOCore
import Synchronization
import Telemetry

/// The model server inside the gateway's own process: one pointer to the model that answers.
///
/// A request takes the pointer once and keeps that model to its end, so every reply comes entirely
/// from one version; a load swaps the pointer when the new model is warm. The old model is freed by
/// the last request that holds it.
package final class ModelServer: ReplicaEndpoint {
    private let current = Mutex<ServedModel?>(nil)
    private let limits: GatewayConfiguration.Limits
    private let admission: Admission
    private let batching: BatchSettings?
    private let instruments: GatewayInstruments

    /// A server without a model; `admission` bounds the predictions of all servers that share it.
    init(
        limits: GatewayConfiguration.Limits, instruments: GatewayInstruments, admission: Admission,
        batching: BatchSettings? = nil
    ) {
        self.batching = batching
        self.limits = limits
        self.instruments = instruments
        self.admission = admission
    }

    package var servedVersion: ServableVersion? { model?.version }

    /// The model that answers now.
    var model: ServedModel? { current.withLock { $0 } }

    package func predict(_ request: PredictRequest) async -> Reply {
        let reply = await answer(request)
        instruments.count(reply)
        return request.style == .serve ? ServeReply.restyled(reply) : reply
    }

    private func answer(_ request: PredictRequest) async -> Reply {
        guard let model else { return Self.notLoaded(request) }
        guard admission.enter() else { return overloaded(request) }
        defer { admission.leave() }
        do {
            var timing = PredictTiming()
            let form = try request.body.withUnsafeReadableBytes {
                bytes throws(FeatureDecoder.Failure) in
                try PredictForm.read(bytes, of: request, for: model, limits: limits)
            }
            timing.end("decode")
            var reply = try await PredictReply.make(
                for: form, by: model, request, timing: &timing)
            timing.end("encode")
            reply.rowCount = form.rows.rowCount
            return reply.with(header: "Server-Timing", timing.header)
        } catch let failure as FeatureDecoder.Failure {
            return reply(to: failure, request)
        } catch let problem as Problem {
            return problem.reply(requestID: request.requestID)
        } catch {
            return Problem(
                status: 500, code: "prediction-failed", title: "Prediction failed",
                detail: "model '\(model.version.name)' version \(model.version.version): \(error)"
            ).reply(requestID: request.requestID)
        }
    }

    package func install(
        _ directory: String, version: ServableVersion
    ) async throws(GatewayError) -> InstalledModel {
        let served = try await prepare(directory, version: version)
        let previous = put(served)
        return InstalledModel(
            previous: previous, sha256: served.sha256, signatureJSON: served.signature.json)
    }

    /// Reads the model directory and warms the model up; nobody is answered with it yet.
    func prepare(
        _ directory: String, version: ServableVersion
    ) async throws(GatewayError) -> ServedModel {
        let (batching, batchRows) = (batching, instruments.batchRows)
        return try await OffPool.run { () throws(GatewayError) in
            let served = try ServedModel(
                try Self.read(directory, version), version: version, batching: batching
            ) { batchRows.record(Double($0)) }
            try served.warmUp()
            return served
        }
    }

    /// Answers with this model from now on; returns the version before.
    func put(_ served: ServedModel) -> ServableVersion? {
        current.withLock { current in
            defer { current = served }
            return current?.version
        }
    }

    package func unload() async -> ServableVersion? {
        current.withLock { current in
            let previous = current?.version
            current = nil
            return previous
        }
    }

    private static func read(
        _ directory: String, _ version: ServableVersion
    ) throws(GatewayError) -> LoadedModel {
        do {
            return try ModelDirectory.read(at: directory)
        } catch {
            throw .badModel(name: version.name, version: version.version, reason: "\(error)")
        }
    }

    /// The reply while there is no model, with the line that loads one.
    static func notLoaded(_ request: PredictRequest) -> Reply {
        Problem(
            status: 503, code: "model-not-loaded", title: "No model is loaded",
            detail: "No model is loaded yet. Load one with: \(request.loadCommand)",
            hint: request.loadCommand, retryAfter: 1
        ).reply(requestID: request.requestID).rejected("not_loaded")
    }

    private func overloaded(_ request: PredictRequest) -> Reply {
        Problem(
            status: 503, code: "overloaded", title: "Too many predictions at once",
            detail: "\(limits.concurrentPredictions) predictions are in progress; try again.",
            retryAfter: 1
        ).reply(requestID: request.requestID).rejected("overloaded")
    }

    private func reply(to failure: FeatureDecoder.Failure, _ request: PredictRequest) -> Reply {
        switch failure {
        case .invalid(let body):
            return .validation(body).rejected("invalid")
        case .unreadable(let text):
            return Problem(
                status: 400, code: "malformed-body", title: "The body cannot be read", detail: text
            ).reply(requestID: request.requestID).rejected("unreadable")
        case .tooLarge(let text):
            return Problem(
                status: 413, code: "too-many-rows", title: "The request is too large", detail: text
            ).reply(requestID: request.requestID).rejected("too_large")
        }
    }
}
