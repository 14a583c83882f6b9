internal import CCurl
internal import Foundation
internal import Synchronization

/// Runs all transfers of one client: a libcurl multi handle and the thread that turns it.
///
/// Other threads only leave commands and wake the thread; everything of libcurl's happens on it.
final class TransferLoop: Sendable {
    private enum Command: Sendable {
        case start(Transfer)
        case cancel(Transfer)
        case resume(Transfer)
    }

    private struct Mailbox {
        var commands: [Command] = []
        var isStopping = false
        /// Set by the thread when the multi handle is gone: nobody may wake it any more.
        var isGone = false
    }

    private let mailbox = Mutex(Mailbox())
    private let multi: MultiHandle?

    /// libcurl asks for one initialisation per process, before any other call.
    private static let isReady = manta_curl_global_init() == CURLE_OK

    init(_ configuration: HTTPClientConfiguration) {
        multi = TransferLoop.isReady ? MultiHandle(configuration) : nil
        guard multi != nil else { return }
        let thread = Thread { [self] in run() }
        thread.name = "http-client"
        thread.start()
    }

    func start(_ transfer: Transfer) {
        if !leave(.start(transfer)) { transfer.end(.failure(.closed)) }
    }

    func cancel(_ transfer: Transfer) {
        transfer.markCancelled()
        _ = leave(.cancel(transfer))
    }

    /// Goes on with a transfer whose sink asked for a pause.
    func resume(_ transfer: Transfer) {
        _ = leave(.resume(transfer))
    }

    /// Ends all transfers with `closed`, then the thread.
    func stop() {
        mailbox.withLock { mailbox in
            mailbox.isStopping = true
            if !mailbox.isGone { multi?.wake() }
        }
    }

    private func leave(_ command: Command) -> Bool {
        mailbox.withLock { mailbox in
            guard let multi, !mailbox.isStopping, !mailbox.isGone else { return false }
            mailbox.commands.append(command)
            multi.wake()
            return true
        }
    }

    // MARK: The thread

    private func run() {
        blockSignals()
        guard let multi else { return }
        var running: [ObjectIdentifier: Transfer] = [:]
        while true {
            let (commands, isStopping) = mailbox.withLock { mailbox in
                defer { mailbox.commands.removeAll() }
                return (mailbox.commands, mailbox.isStopping)
            }
            for command in commands { apply(command, multi, &running) }
            if isStopping { break }
            multi.perform()
            while let (transfer, code) = multi.nextEnded() {
                running[ObjectIdentifier(transfer)] = nil
                multi.remove(transfer)
                transfer.end(transfer.result(for: code))
            }
            // Commands and sockets both end the wait; the limit is for timers only.
            multi.wait(atMost: .seconds(60))
        }
        for transfer in running.values {
            multi.remove(transfer)
            transfer.end(.failure(transfer.isCancelled ? .cancelled : .closed))
        }
        mailbox.withLock { mailbox in
            mailbox.isGone = true
            multi.close()
        }
    }

    private func apply(
        _ command: Command, _ multi: MultiHandle, _ running: inout [ObjectIdentifier: Transfer]
    ) {
        switch command {
        case .start(let transfer):
            guard !transfer.isCancelled else {
                transfer.end(.failure(.cancelled))
                return
            }
            running[ObjectIdentifier(transfer)] = transfer
            multi.add(transfer)
        case .cancel(let transfer):
            guard running.removeValue(forKey: ObjectIdentifier(transfer)) != nil else { return }
            multi.remove(transfer)
            transfer.end(.failure(.cancelled))
        case .resume(let transfer):
            guard running[ObjectIdentifier(transfer)] != nil else { return }
            _ = curl_easy_pause(transfer.easy.pointer, manta_curl_pause_none)
        }
    }

    /// Signals belong to the program's own threads; a broken pipe must come back as an error.
    private func blockSignals() {
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
    }
}
