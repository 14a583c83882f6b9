internal import Crypto
import Foundation
import JobChannel
import Jobs

/// The worker's end of one driver's channel: enqueues the driver's tasks and brings their answers.
actor DriverSession {
    /// Tasks sent to the store, and asked about, at once.
    static let batchMax = 256
    /// How often answers are looked for without a signal.
    static let pollInterval = Duration.seconds(1)

    private let connection: ChannelConnection
    private let store: any JobStore
    private let lease: Lease
    private let job: JobID
    private let desk: BlobDesk
    private let onLeaseLost: @Sendable () async -> Void
    private var unsent: [(request: UInt64, task: NewTask)] = []
    private var isSending = false
    private var awaited: [TaskID: [UInt64]] = [:]
    private(set) var result: [UInt8]?

    init(
        connection: ChannelConnection, store: any JobStore, lease: Lease, job: JobID,
        desk: BlobDesk, onLeaseLost: @escaping @Sendable () async -> Void
    ) {
        self.connection = connection
        self.store = store
        self.lease = lease
        self.job = job
        self.desk = desk
        self.onLeaseLost = onLeaseLost
    }

    /// Serves the driver until its channel ends.
    func run() async {
        let poll = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: DriverSession.pollInterval)
                await lookForAnswers()
            }
        }
        defer { poll.cancel() }
        do {
            for try await message in connection.messages { await handle(message) }
        } catch {
            connection.close()
        }
    }

    /// Called when the store signals that a task of this job ended.
    func lookForAnswers() async {
        let ids = Array(awaited.keys)
        for start in stride(from: 0, to: ids.count, by: DriverSession.batchMax) {
            let batch = Array(ids[start..<min(start + DriverSession.batchMax, ids.count)])
            guard let records = try? await store.tasks(batch) else { return }
            for record in records.compactMap({ $0 }) where record.state.isTerminal {
                for request in awaited.removeValue(forKey: record.spec.id) ?? [] {
                    answer(request, with: record)
                }
            }
        }
    }

    func setSlots(_ count: Int) {
        try? connection.send(ChannelMessage(.slots(count)))
    }

    private func handle(_ message: ChannelMessage) async {
        switch message.header {
        case .enqueue(let request, let task):
            unsent.append((request, newTask(task, input: message.payload)))
            if !isSending {
                isSending = true
                Task { await sendAll() }
            }
        case .abandon(let request):
            for (id, requests) in awaited {
                awaited[id] = requests.contains(request) ? requests.filter { $0 != request } : requests
            }
        case .blobOffered, .blobWanted:
            let desk = desk
            Task { await desk.answer(message.header, on: connection) }
        case .result:
            result = message.payload
        default:
            break
        }
    }

    private func newTask(_ request: TaskRequest, input: [UInt8]) -> NewTask {
        let payload: Payload
        let digest: String
        if let blob = request.inputBlob {
            payload = .blob(digest: blob, sizeInBytes: 0)
            digest = blob
        } else {
            payload = .inline(input)
            digest = SHA256.hash(data: Data(input)).hex
        }
        let id = TaskID.task(
            of: job, name: request.name, inputDigest: digest, occurrence: request.occurrence)
        var retry = RetryPolicy.task
        retry.attemptsMax = max(1, min(100, request.attemptsMax))
        retry.retriesErrors = request.retriesErrors
        return NewTask(
            id: id, job: job, kind: .task, name: request.name, input: payload,
            resources: Resources(
                milliCPUs: max(0, request.milliCPUs),
                memoryInBytes: max(0, request.memoryInBytes)),
            retry: retry)
    }

    /// Sends what has gathered, a batch at a time, until nothing is left.
    private func sendAll() async {
        defer { isSending = false }
        var pause = Duration.milliseconds(50)
        while !unsent.isEmpty {
            let batch = Array(unsent.prefix(DriverSession.batchMax))
            do {
                let records = try await store.enqueue(batch.map(\.task), under: lease)
                unsent.removeFirst(batch.count)
                for (entry, record) in zip(batch, records) {
                    if record.state.isTerminal {
                        answer(entry.request, with: record)
                    } else {
                        awaited[record.spec.id, default: []].append(entry.request)
                    }
                }
            } catch JobStoreError.unavailable, JobStoreError.full {
                // Nothing is lost: the driver waits as long as the store is away or full.
                try? await Task.sleep(for: pause)
                pause = min(.seconds(2), pause * 2)
            } catch JobStoreError.leaseLost, JobStoreError.jobOver {
                unsent = []
                return await onLeaseLost()
            } catch {
                unsent.removeFirst(batch.count)
                for entry in batch {
                    send(.refused(request: entry.request, reason: "\(error)"))
                }
            }
        }
    }

    private func answer(_ request: UInt64, with record: TaskRecord) {
        switch record.state {
        case .succeeded(.inline(let bytes)):
            send(.completed(request: request, .succeeded(blob: nil)), payload: bytes)
        case .succeeded(.blob(let digest, _)):
            send(.completed(request: request, .succeeded(blob: digest)))
        case .failed(let failure) where failure.kind == .error:
            send(.completed(request: request, .failed(message: failure.message)))
        case .failed(let failure):
            let causes = record.history.map { "attempt \($0.number): \($0.cause)" }
            let text = ([failure.message] + causes).joined(separator: "\n  ")
            send(.completed(request: request, .lost(message: text)))
        case .cancelled:
            send(.completed(request: request, .cancelled))
        case .waiting, .running:
            break
        }
    }

    private func send(_ header: ChannelMessage.Header, payload: [UInt8] = []) {
        // A closed channel means the driver has ended, which `DriverRun` sees by itself.
        try? connection.send(ChannelMessage(header, payload: payload))
    }
}
