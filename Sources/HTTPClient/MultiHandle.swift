internal import CCurl

/// libcurl's multi handle. All calls are made by the loop's thread, `wake` by any.
final class MultiHandle: @unchecked Sendable {
    private let pointer: UnsafeMutableRawPointer

    init?(_ configuration: HTTPClientConfiguration) {
        guard let pointer = curl_multi_init() else { return nil }
        self.pointer = pointer
        set(CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHostMax)
        set(CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.connectionsMax)
    }

    private func set(_ option: CURLMoption, _ value: Int) {
        _ = manta_curl_multi_set_long(pointer, option, value)
    }

    func add(_ transfer: Transfer) {
        curl_multi_add_handle(pointer, transfer.easy.pointer)
    }

    func remove(_ transfer: Transfer) {
        curl_multi_remove_handle(pointer, transfer.easy.pointer)
    }

    /// Does what can be done now without waiting.
    func perform() {
        var count: Int32 = 0
        curl_multi_perform(pointer, &count)
    }

    /// A transfer that came to its end, with libcurl's result.
    func nextEnded() -> (Transfer, CURLcode)? {
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(pointer, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else {
                continue
            }
            var context: UnsafeMutableRawPointer?
            guard manta_curl_get_context(easy, &context) == CURLE_OK, let context else { continue }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            return (transfer, message.pointee.data.result)
        }
        return nil
    }

    /// Waits for a socket, a timer or `wake`.
    func wait(atMost limit: Duration) {
        curl_multi_poll(pointer, nil, 0, Int32(limit.inMilliseconds), nil)
    }

    func wake() {
        curl_multi_wakeup(pointer)
    }

    /// Closes the kept connections. Nothing may be called afterwards.
    func close() {
        curl_multi_cleanup(pointer)
    }
}
