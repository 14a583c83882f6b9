internal import CCurl

/// One libcurl easy handle with its options. Used on the loop's thread only, once it has started.
struct EasyHandle: ~Copyable {
    let pointer: UnsafeMutableRawPointer
    /// What libcurl writes its own words about a failure into.
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?

    init?() {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        _ = manta_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    func set(_ option: CURLoption, _ value: Int) {
        _ = manta_curl_set_long(pointer, option, value)
    }

    func set(_ option: CURLoption, size: Int64) {
        _ = manta_curl_set_size(pointer, option, curl_off_t(size))
    }

    func set(_ option: CURLoption, _ text: String) {
        _ = manta_curl_set_text(pointer, option, text)
    }

    func set(_ option: CURLoption, pointer value: UnsafeMutableRawPointer?) {
        _ = manta_curl_set_pointer(pointer, option, value)
    }

    mutating func setHeaders(_ lines: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines { list = curl_slist_append(list, line) ?? list }
        _ = manta_curl_set_headers(pointer, list)
        curl_slist_free_all(headerList)
        headerList = list
    }

    func long(_ information: CURLINFO) -> Int {
        var value = 0
        return manta_curl_get_long(pointer, information, &value) == CURLE_OK ? value : 0
    }

    func size(_ information: CURLINFO) -> Int64 {
        var value: curl_off_t = 0
        return manta_curl_get_size(pointer, information, &value) == CURLE_OK ? Int64(value) : 0
    }

    /// libcurl's words for how the transfer ended.
    func reason(for code: CURLcode) -> String {
        let detail = String(cString: errorText)
        return detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
    }
}
