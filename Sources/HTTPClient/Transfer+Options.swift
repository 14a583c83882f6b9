internal import CCurl

extension Transfer {
    /// Sets every option of the easy handle. Called once, before the loop takes the transfer.
    func prepare(_ configuration: HTTPClientConfiguration) {
        easy.set(CURLOPT_URL, request.url)
        easy.set(CURLOPT_NOSIGNAL, 1)
        easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        _ = manta_curl_restrict_protocols(easy.pointer, url.scheme == "http" ? 1 : 0)
        easy.set(CURLOPT_USERAGENT, configuration.userAgent)
        if url.isLoopback || request.refusesPrivateAddresses {
            // A proxy named in the environment could not reach us there, or would choose the
            // address.
            easy.set(CURLOPT_PROXY, "")
        }
        prepareTimes(configuration)
        prepareTLS(configuration)
        prepareMethodAndBody()
        prepareSignature()
        prepareHeaders()
        prepareCallbacks()
        if request.redirectsMax > 0 {
            easy.set(CURLOPT_FOLLOWLOCATION, 1)
            easy.set(CURLOPT_MAXREDIRS, request.redirectsMax)
        }
        if !request.isRepeatable || request.refusesPrivateAddresses {
            // Nobody looked where a connection that is kept leads.
            easy.set(CURLOPT_FRESH_CONNECT, 1)
        }
    }

    private func prepareTimes(_ configuration: HTTPClientConfiguration) {
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, configuration.connectTimeout.inMilliseconds)
        if let timeout = request.timeout {
            easy.set(CURLOPT_TIMEOUT_MS, timeout.inMilliseconds)
        }
        if let idle = request.idleTimeout {
            easy.set(CURLOPT_LOW_SPEED_LIMIT, 1)
            easy.set(CURLOPT_LOW_SPEED_TIME, max(1, idle.inMilliseconds / 1000))
        }
    }

    private func prepareTLS(_ configuration: HTTPClientConfiguration) {
        easy.set(CURLOPT_SSL_VERIFYPEER, configuration.verifiesTLS ? 1 : 0)
        easy.set(CURLOPT_SSL_VERIFYHOST, configuration.verifiesTLS ? 2 : 0)
        easy.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let path = configuration.authoritiesPath {
            easy.set(CURLOPT_CAINFO, path)
        }
        if let path = configuration.clientCertificatePath {
            easy.set(CURLOPT_SSLCERT, path)
            easy.set(CURLOPT_SSLKEY, path)
        }
    }

    private func prepareMethodAndBody() {
        switch request.body {
        case .none:
            switch request.method {
            case .get: easy.set(CURLOPT_HTTPGET, 1)
            case .head: easy.set(CURLOPT_NOBODY, 1)
            case .post, .put, .patch: setBody([])
            case .delete: easy.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            }
        case .bytes(let bytes):
            setBody(bytes)
        case .file, .part:
            easy.set(CURLOPT_UPLOAD, 1)
            easy.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            easy.set(CURLOPT_INFILESIZE_LARGE, size: source?.size ?? 0)
        }
    }

    private func setBody(_ bytes: [UInt8]) {
        // The size first: libcurl copies that many bytes. A null pointer would mean "read from
        // stdin".
        easy.set(CURLOPT_POSTFIELDSIZE_LARGE, size: Int64(bytes.count))
        if bytes.isEmpty {
            easy.set(CURLOPT_COPYPOSTFIELDS, "")
        } else {
            bytes.withUnsafeBytes { bytes in
                let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                easy.set(CURLOPT_COPYPOSTFIELDS, pointer: start)
            }
        }
        easy.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    private func prepareSignature() {
        guard let signature = request.signature else { return }
        easy.set(CURLOPT_AWS_SIGV4, "aws:amz:\(signature.region):\(signature.service)")
        easy.set(CURLOPT_USERNAME, signature.accessKey)
        easy.set(CURLOPT_PASSWORD, signature.secretKey)
        // What is signed must be what is sent.
        easy.set(CURLOPT_PATH_AS_IS, 1)
    }

    private func prepareHeaders() {
        // libcurl would ask for "100 Continue" first and wait a second for it; it would also call
        // every body a form.
        // Not with a signature: libcurl before 8.3 signs these two, which are never sent.
        var lines: [String] = []
        if request.signature == nil {
            lines.append("Expect:")
            if request.headers["Content-Type"] == nil { lines.append("Content-Type:") }
        }
        if let token = request.signature?.sessionToken {
            lines.append("x-amz-security-token: \(token)")
        }
        for field in request.headers.fields {
            // "Name:" removes a header; "Name;" is libcurl's way to send one without a value.
            lines.append(field.value.isEmpty ? field.name + ";" : field.name + ": " + field.value)
        }
        easy.setHeaders(lines)
    }

    private func prepareCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        easy.set(CURLOPT_PRIVATE, pointer: context)
        easy.set(CURLOPT_HEADERDATA, pointer: context)
        easy.set(CURLOPT_WRITEDATA, pointer: context)
        _ = manta_curl_set_data_function(easy.pointer, CURLOPT_HEADERFUNCTION, headerArrived)
        _ = manta_curl_set_data_function(easy.pointer, CURLOPT_WRITEFUNCTION, bodyArrived)
        if request.refusesPrivateAddresses {
            _ = manta_curl_set_socket_function(easy.pointer, socketWanted, context)
        }
        guard source != nil else { return }
        easy.set(CURLOPT_READDATA, pointer: context)
        easy.set(CURLOPT_SEEKDATA, pointer: context)
        _ = manta_curl_set_data_function(easy.pointer, CURLOPT_READFUNCTION, bodyWanted)
        _ = manta_curl_set_seek_function(easy.pointer, bodyRewound)
    }
}

extension Duration {
    /// At least 1: libcurl takes 0 for "no limit".
    var inMilliseconds: Int {
        let (seconds, attoseconds) = components
        let bounded = min(max(seconds, 0), 10_000_000)
        return max(1, Int(bounded) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
