import Foundation
import Synchronization
import Telemetry

/// The models of one gateway by name, each behind a replica endpoint of its own.
///
/// To the loader and to routes without a name it is one endpoint: that of the current model, the
/// one loaded last. A request for a named model goes to that model's endpoint. Which models stay in
/// memory decides `ModelRoster`. Loads and unloads come one after another, from `ModelLoader`;
/// predictions come from all threads and share one model each.
package final class ModelShelf: ReplicaEndpoint {
    /// One model's place.
    private struct Slot: Sendable {
        let endpoint: any ReplicaEndpoint
        let statistics: ModelStatistics
        var installed: InstalledModel
    }

    private struct State: Sendable {
        var roster: ModelRoster
        var slots: [String: Slot] = [:]
        /// Answers while no model is current, and takes the next one in.
        var vacant: (any ReplicaEndpoint)?
    }

    /// A model that can be asked for by name.
    struct Listing: Sendable {
        let version: ServableVersion
        let installed: InstalledModel
        let isPinned: Bool
        let isCurrent: Bool
        /// False while its endpoint cannot answer.
        let isReady: Bool
        let sizeInBytes: Int
        let statistics: ModelStatistics.Figures
    }

    private let state: Mutex<State>
    private let instruments: GatewayInstruments
    private let makeEndpoint: @Sendable () -> any ReplicaEndpoint

    /// An empty shelf; `makeEndpoint` makes the place of one more model.
    init(
        limits: GatewayConfiguration.Limits, instruments: GatewayInstruments,
        makeEndpoint: @escaping @Sendable () -> any ReplicaEndpoint
    ) {
        let roster = ModelRoster(
            sizeInBytesMax: limits.modelBytes, countMax: max(1, limits.modelCount))
        state = Mutex(State(roster: roster))
        self.instruments = instruments
        self.makeEndpoint = makeEndpoint
    }

    package var servedVersion: ServableVersion? {
        let current = state.withLock { state in
            state.roster.current.flatMap { state.slots[$0]?.endpoint }
        }
        return current?.servedVersion
    }

    /// Answers by the model that the request names, else by the current one.
    package func predict(_ request: PredictRequest) async -> Reply {
        let slot = state.withLock { state -> Slot? in
            guard let name = request.model ?? state.roster.current else { return nil }
            state.roster.use(name)
            return state.slots[name]
        }
        guard let slot else {
            guard let name = request.model else { return await vacancy().predict(request) }
            return NotServed.reply(model: name, version: nil, loaded: names, request)
        }
        if let wanted = request.version, wanted != slot.endpoint.servedVersion?.version {
            return NotServed.reply(
                model: request.model ?? "", version: wanted,
                loaded: [slot.endpoint.servedVersion?.version].compactMap { $0 }, request)
        }
        let start = ContinuousClock.now
        let reply = await slot.endpoint.predict(request)
        slot.statistics.count(
            reply, duration: ContinuousClock.now - start,
            at: Int(Date().timeIntervalSince1970 * 1_000))
        return reply
    }

    /// The names that can be asked for, sorted.
    var names: [String] { state.withLock { $0.slots.keys.sorted() } }

    /// What is known of a model in memory.
    func listing(of name: String) -> Listing? {
        let found = state.withLock { state -> (Slot, ModelRoster.Entry, Bool)? in
            guard let slot = state.slots[name], let entry = state.roster.entries[name]
            else { return nil }
            return (slot, entry, state.roster.current == name)
        }
        guard let (slot, entry, isCurrent) = found else { return nil }
        let served = slot.endpoint.servedVersion
        return Listing(
            version: served ?? entry.version, installed: slot.installed, isPinned: entry.isPinned,
            isCurrent: isCurrent, isReady: served != nil, sizeInBytes: entry.sizeInBytes,
            statistics: slot.statistics.figures)
    }

    /// All models in memory, by name.
    var listings: [Listing] { names.compactMap(listing) }

    package func install(
        _ directory: String, version: ServableVersion
    ) async throws(GatewayError) -> InstalledModel {
        try await install(directory, version: version, asCurrent: true)
    }

    /// Puts a model in its place; with `asCurrent` routes without a name answer with it from now.
    ///
    /// Models that go to make room go after the new one is ready: a load that fails changes
    /// nothing.
    func install(
        _ directory: String, version: ServableVersion, asCurrent: Bool
    ) async throws(GatewayError) -> InstalledModel {
        let size = Self.size(of: directory)
        let roster = state.withLock { $0.roster }
        _ = try roster.evictions(for: version, sizeInBytes: size, asCurrent: asCurrent)
        let place = place(for: version.name)
        let installed = try await place.endpoint.install(directory, version: version)
        let leaving = state.withLock { state -> [any ReplicaEndpoint] in
            // Asked anew, as pins and uses have gone on; what cannot go now stays until the next.
            let names = try? state.roster.evictions(
                for: version, sizeInBytes: size, asCurrent: asCurrent)
            state.slots[version.name] = Slot(
                endpoint: place.endpoint, statistics: place.statistics, installed: installed)
            state.roster.add(version, sizeInBytes: size, asCurrent: asCurrent)
            if place.isVacant { state.vacant = nil }
            return (names ?? []).compactMap { name in
                state.roster.remove(name)
                return state.slots.removeValue(forKey: name)?.endpoint
            }
        }
        for endpoint in leaving {
            _ = await endpoint.unload()
            instruments.evictions.increment()
        }
        show()
        return installed
    }

    package func unload() async -> ServableVersion? {
        guard let current = state.withLock({ $0.roster.current }) else { return nil }
        return await unload(current)
    }

    /// Takes a model away; nil where there is none of this name.
    func unload(_ name: String) async -> ServableVersion? {
        let slot = state.withLock { state -> Slot? in
            state.roster.remove(name)
            let slot = state.slots.removeValue(forKey: name)
            if state.vacant == nil { state.vacant = slot?.endpoint }
            return slot
        }
        let version = await slot?.endpoint.unload()
        show()
        return version
    }

    /// Pins a model, so that it stays whatever else is loaded, or unpins it; false where there is
    /// none of this name.
    func pin(_ name: String, _ isPinned: Bool) -> Bool {
        state.withLock { $0.roster.pin(name, isPinned) }
    }

    /// The model's own place if it has one, else the vacant one.
    private func place(
        for name: String
    ) -> (endpoint: any ReplicaEndpoint, statistics: ModelStatistics, isVacant: Bool) {
        if let slot = state.withLock({ $0.slots[name] }) {
            return (slot.endpoint, slot.statistics, false)
        }
        return (vacancy(), ModelStatistics(), true)
    }

    private func vacancy() -> any ReplicaEndpoint {
        state.withLock { state in
            if let vacant = state.vacant { return vacant }
            let made = makeEndpoint()
            state.vacant = made
            return made
        }
    }

    private func show() {
        instruments.show(listings.map { ($0.version, sha256: $0.installed.sha256) })
    }

    /// Bytes of the file that is served; 0 where it cannot be seen, and then it cannot be read.
    private static func size(of directory: String) -> Int {
        let path = directory + "/manta/model.manta"
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }
}

/// The refusal of a request for a model or version that is not in memory.
enum NotServed {
    static func reply(
        model: String, version: String?, loaded: [String], _ request: PredictRequest
    ) -> Reply {
        let shown = Echo.cut(model, to: 256)
        var wanted = "Model \(shown)"
        if let version { wanted += " with version \(Echo.cut(version, to: 64))" }
        let exists = loaded.isEmpty ? "nothing is loaded" : "loaded: \(GatewayError.list(loaded))"
        return Problem(
            status: 404, code: "model-not-loaded", title: "Model not loaded",
            detail: "\(wanted) not found; \(exists)"
        ).reply(requestID: request.requestID)
    }
}
