internal import CCurl

// What libcurl calls, on the loop's thread, with the transfer as its context. The loop holds the
// transfer as long as its easy handle is in use.

func headerArrived(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context, let bytes else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return transfer.take(headerLine: line) ? line.count : 0
}

func bodyArrived(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context, let bytes else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let chunk = UnsafeRawBufferPointer(start: bytes, count: size * count)
    do throws(HTTPClientError) {
        let isAccepted = try transfer.sink.accept(chunk, status: transfer.head.status)
        return isAccepted ? chunk.count : Int(CURL_WRITEFUNC_PAUSE)
    } catch {
        transfer.refusal = error
        return 0
    }
}

func bodyWanted(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context, let bytes else { return Int(CURL_READFUNC_ABORT) }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
    return transfer.source?.read(into: buffer) ?? Int(CURL_READFUNC_ABORT)
}

func bodyRewound(
    _ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32
) -> Int32 {
    guard let context, origin == 0 else { return CURL_SEEKFUNC_FAIL }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let isDone = transfer.source?.seek(to: Int64(offset)) ?? false
    return isDone ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}

/// Opens the socket of one connection unless it would lead to where nobody may send us.
func socketWanted(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype,
    _ target: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let context, let target, let address = manta_curl_address(target) else {
        return manta_curl_no_socket
    }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let length = Int(target.pointee.addrlen)
    let found = NetworkAddress(UnsafeRawBufferPointer(start: address, count: length))
    guard let found, found.isPublic else {
        transfer.refusal = .addressRefused(
            host: transfer.url.authority, address: found?.description ?? "unknown")
        return manta_curl_no_socket
    }
    return manta_curl_open_socket(target)
}

extension Transfer {
    /// One line of a header, with its line end. False ends the transfer.
    func take(headerLine bytes: UnsafeRawBufferPointer) -> Bool {
        var line = bytes[...]
        while let last = line.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
            line.removeLast()
        }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            // A new answer: after "100 Continue" or a redirect only the last one counts.
            head = ResponseHead(status: easy.long(CURLINFO_RESPONSE_CODE))
            headerByteCount = 0
        } else if text.isEmpty {
            if isFinal { headArrived() }
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...]
            head.headers.append(
                name: String(text[..<colon]), value: trimmed(value))
        }
        headerByteCount += bytes.count
        guard headerByteCount <= Transfer.headerBytesMax else {
            refusal = .malformedResponse(
                host: url.authority, cause: "more than \(Transfer.headerBytesMax) header bytes")
            return false
        }
        return true
    }

    /// Whether the header just read belongs to the answer the caller gets.
    private var isFinal: Bool {
        guard head.status >= 200 else { return false }
        let isFollowed = request.redirectsMax > 0 && (300..<400).contains(head.status)
        return !(isFollowed && head.headers["Location"] != nil)
    }

    private func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
