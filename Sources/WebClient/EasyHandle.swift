import CCurl
import Egress
import Glibc
import HTTP

/// One libcurl handle, lent to one transfer after another. Making one costs far more than reusing it.
///
/// Owned by the client's thread, and used by nobody else: libcurl calls back on the thread that drives it.
final class EasyHandle: TransferHandle {
    let easy: UnsafeMutableRawPointer
    private let responseByteLimit: Int
    private let egress: EgressPolicy?
    /// When the transfer's time is over.
    private(set) var deadline = ContinuousClock.now
    private var transfer: Transfer?
    private var sending = Sending()
    private var response: IncomingResponse
    private var fieldList: UnsafeMutablePointer<curl_slist>?
    private var pinList: UnsafeMutablePointer<curl_slist>?
    /// True when an address was refused that libcurl was about to dial or to write to.
    private var isForbidden = false

    /// Nil when memory is short.
    init?(_ configuration: WebClient.Configuration) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        self.responseByteLimit = configuration.responseByteLimit
        self.egress = configuration.egress
        self.response = IncomingResponse(byteLimit: configuration.responseByteLimit)
        self.setHabits(configuration)
        self.setCallbacks()
        if self.egress != nil { self.setGuards() }
    }

    deinit {
        curl_easy_cleanup(self.easy)
        curl_slist_free_all(self.fieldList)
        curl_slist_free_all(self.pinList)
    }

    /// Takes on a transfer; it begins when the handle is added to libcurl's loop. A client with a policy gives it the
    /// route it has judged.
    func begin(_ transfer: Transfer, by route: Route? = nil) {
        let request = transfer.request
        let timeout = route?.timeout ?? request.timeout
        self.transfer = transfer
        self.setTicket(transfer.ticket)
        self.deadline = .now + timeout
        self.sending = Sending(bodyByteCount: request.body.count, isRepeatable: request.isRepeatable)
        self.response = IncomingResponse(byteLimit: self.responseByteLimit)
        self.isForbidden = false
        ccurl_set_string(self.easy, CURLOPT_URL, route?.url ?? request.url)
        ccurl_set_long(self.easy, CURLOPT_TIMEOUT_MS, timeout.wholeMilliseconds)
        ccurl_set_long(
            self.easy, CURLOPT_CONNECTTIMEOUT_MS, (route?.connectTimeout ?? request.connectTimeout).wholeMilliseconds)
        if let route { self.setPin(route.pin) }
        self.setMethod(request)
        self.setFields(request.fields)
    }

    /// Gives the transfer its outcome and becomes free.
    func finish(_ code: CURLcode) {
        let outcome = self.outcome(code)
        self.release()?.finish(outcome)
    }

    func cancel() { self.release()?.fail(.cancelled, "the request was cancelled") }

    // MARK: - Options

    private func setHabits(_ configuration: WebClient.Configuration) {
        ccurl_set_long(self.easy, CURLOPT_NOSIGNAL, 1)
        // Otherwise the end of a transfer whose name is still being looked up holds up all the others.
        ccurl_set_long(self.easy, CURLOPT_QUICK_EXIT, 1)
        ccurl_set_long(self.easy, CURLOPT_TCP_NODELAY, 1)
        ccurl_set_long(self.easy, CURLOPT_PATH_AS_IS, 1)
        ccurl_set_long(self.easy, CURLOPT_HTTP_CONTENT_DECODING, 0)
        ccurl_set_long(self.easy, CURLOPT_MAXAGE_CONN, max(1, Int(configuration.keptConnectionAge.components.seconds)))
        let version = configuration.allowsHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
        ccurl_set_long(self.easy, CURLOPT_HTTP_VERSION, version)
        ccurl_set_string(self.easy, CURLOPT_PROTOCOLS_STR, "http,https")
        // An empty proxy also turns off those the environment names.
        ccurl_set_string(self.easy, CURLOPT_PROXY, "")
        ccurl_set_string(self.easy, CURLOPT_USERAGENT, configuration.userAgent)
        if let file = configuration.certificateFile { ccurl_set_string(self.easy, CURLOPT_CAINFO, file) }
    }

    private func setCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_pointer(self.easy, CURLOPT_WRITEDATA, context)
        ccurl_set_pointer(self.easy, CURLOPT_HEADERDATA, context)
        ccurl_set_pointer(self.easy, CURLOPT_READDATA, context)
        ccurl_set_pointer(self.easy, CURLOPT_PREREQDATA, context)
        ccurl_set_data_callback(self.easy, CURLOPT_WRITEFUNCTION, onBody)
        ccurl_set_data_callback(self.easy, CURLOPT_HEADERFUNCTION, onLine)
        ccurl_set_data_callback(self.easy, CURLOPT_READFUNCTION, onBodyWanted)
        ccurl_set_before_request_callback(self.easy, onRequest)
        // A body that has been written is never written again: see ``Sending/mayBeginAgain``.
        ccurl_set_seek_callback(self.easy) { _, _, _ in CURL_SEEKFUNC_FAIL }
    }

    /// For clients with a policy: what dials, and what could lead elsewhere.
    private func setGuards() {
        ccurl_set_pointer(self.easy, CURLOPT_OPENSOCKETDATA, Unmanaged.passUnretained(self).toOpaque())
        ccurl_set_open_socket_callback(self.easy, onSocketWanted)
        ccurl_set_string(self.easy, CURLOPT_NOPROXY, "*")
        ccurl_set_long(self.easy, CURLOPT_FOLLOWLOCATION, 0)
        ccurl_set_long(self.easy, CURLOPT_DNS_CACHE_TIMEOUT, Route.pinSeconds)
    }

    /// Tells libcurl a name's addresses, so that it looks up none itself.
    private func setPin(_ pin: String?) {
        let list = pin.map { curl_slist_append(nil, $0) } ?? nil
        ccurl_set_pointer(self.easy, CURLOPT_RESOLVE, list)
        curl_slist_free_all(self.pinList)
        self.pinList = list
    }

    /// A body always goes out through the read callback, which counts it.
    private func setMethod(_ request: WebRequest) {
        let announcesBody = !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method)
        ccurl_set_long(self.easy, CURLOPT_NOBODY, 0)
        ccurl_set_long(self.easy, CURLOPT_UPLOAD, announcesBody ? 1 : 0)
        ccurl_set_offset(self.easy, CURLOPT_INFILESIZE_LARGE, announcesBody ? curl_off_t(request.body.count) : -1)
        // Without this libcurl waits for the body a HEAD response has not.
        if request.method == "HEAD" { ccurl_set_long(self.easy, CURLOPT_NOBODY, 1) }
        ccurl_set_string(self.easy, CURLOPT_CUSTOMREQUEST, request.method)
    }

    private func setFields(_ fields: HTTPFields) {
        // The empty field keeps libcurl from asking, and waiting a second, for "100 Continue".
        var list = curl_slist_append(nil, "Expect:")
        for field in fields.all where !Self.isOurs(field.name) {
            // libcurl takes "Name:" for "leave the field out" and "Name;" for an empty value.
            list = curl_slist_append(list, field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        ccurl_set_pointer(self.easy, CURLOPT_HTTPHEADER, list)
        curl_slist_free_all(self.fieldList)
        self.fieldList = list
    }

    private static func isOurs(_ name: String) -> Bool {
        switch name.utf8.count {
        case 6: name.lowercased() == "expect"
        case 14: name.lowercased() == "content-length"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }

    // MARK: - While it runs

    /// Told before an address is connected to.
    fileprivate func mayDial(_ socketAddress: UnsafeRawBufferPointer) -> Bool {
        guard let egress, socketAddress.count >= 4 else { return false }
        // The port stands at the same place in both kinds of address.
        let port = UInt16(bigEndian: socketAddress.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        let isPermitted = NetworkAddress(socketAddress: socketAddress).map { egress.permits($0, port: port) } ?? false
        if !isPermitted { self.isForbidden = true }
        return isPermitted
    }

    /// Told before a request is written, on a new connection or a kept one, with the address of the other side. False
    /// keeps libcurl from repeating one that may have been processed.
    fileprivate func mayWriteRequest(to peer: UnsafePointer<CChar>?) -> Bool {
        guard self.mayWrite(to: peer) else { return false }
        self.sending.headByteCount = ccurl_get_long(self.easy, CURLINFO_REQUEST_SIZE)
        guard self.sending.mayBeginAgain else { return false }
        self.sending.begunCount += 1
        return true
    }

    private func mayWrite(to peer: UnsafePointer<CChar>?) -> Bool {
        guard let egress else { return true }
        let address = peer.flatMap { NetworkAddress(String(cString: $0)) }
        let isPermitted = address.map(egress.permits) ?? false
        if !isPermitted { self.isForbidden = true }
        return isPermitted
    }

    fileprivate func takeBody(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let body = self.transfer?.request.body else { return 0 }
        let count = min(buffer.count, body.count - self.sending.takenByteCount)
        body.withUnsafeBytes { bytes in
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(self.sending.takenByteCount).prefix(count)))
        }
        self.sending.takenByteCount += count
        return count
    }

    fileprivate func receiveLine(_ line: UnsafeRawBufferPointer) -> Bool { self.response.takeLine(line) }

    fileprivate func receiveBody(_ piece: UnsafeRawBufferPointer) -> Bool { self.response.takeBody(piece) }

    // MARK: - At the end

    private func outcome(_ code: CURLcode) -> Transfer.Outcome {
        guard code != CURLE_OK else {
            let status = ccurl_get_long(self.easy, CURLINFO_RESPONSE_CODE)
            return .success(HTTPResponse(status: status, fields: self.response.fields, body: self.response.body))
        }
        if self.isForbidden { return .failure(.addressForbidden) }
        if self.response.isTooLarge {
            let status = ccurl_get_long(self.easy, CURLINFO_RESPONSE_CODE)
            return .failure(
                WebClientError(
                    .tooLarge, reason: "the response is over \(self.responseByteLimit) bytes",
                    status: status > 0 ? status : nil))
        }
        // A repeated request that was kept back: the one before is the one that counts.
        self.sending.headByteCount = ccurl_get_long(self.easy, CURLINFO_REQUEST_SIZE)
        return .failure(WebClientError(self.sending.failure, reason: self.reason(code)))
    }

    private func reason(_ code: CURLcode) -> String {
        // What these two really say: libcurl wanted to write the request again, and was not allowed to.
        if code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_SEND_FAIL_REWIND {
            return "the kept connection died before an answer came"
        }
        let text = String(cString: curl_easy_strerror(code))
        let systemCode = ccurl_get_long(self.easy, CURLINFO_OS_ERRNO)
        guard code == CURLE_COULDNT_CONNECT, systemCode != 0 else { return text }
        return "\(text) (\(String(cString: strerror(CInt(systemCode)))))"
    }

    /// Forgets the request, whose fields may hold a password.
    private func release() -> Transfer? {
        ccurl_set_pointer(self.easy, CURLOPT_HTTPHEADER, nil)
        curl_slist_free_all(self.fieldList)
        self.fieldList = nil
        if self.egress != nil { self.setPin(nil) }
        self.response = IncomingResponse(byteLimit: self.responseByteLimit)
        return self.transfer.take()
    }
}

// MARK: - libcurl's calls

private func handle(_ context: UnsafeMutableRawPointer?) -> EasyHandle {
    // libcurl gives back what `setCallbacks` gave it, while the handle lives.
    Unmanaged<EasyHandle>.fromOpaque(context!).takeUnretainedValue()
}

/// Any other number than the piece's own ends the transfer.
private let onBody: ccurl_data_callback = { bytes, size, count, context in
    let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return handle(context).receiveBody(piece) ? piece.count : 0
}

private let onLine: ccurl_data_callback = { bytes, size, count, context in
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return handle(context).receiveLine(line) ? line.count : 0
}

private let onBodyWanted: ccurl_data_callback = { bytes, size, count, context in
    handle(context).takeBody(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}

private let onRequest: curl_prereq_callback = { context, peer, _, _, _ in
    handle(context).mayWriteRequest(to: peer) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private let onSocketWanted: curl_opensocket_callback = { context, _, address in
    // libcurl always has an address when it wants a socket.
    let address = address!
    let bytes = UnsafeRawBufferPointer(start: ccurl_address(address), count: Int(address.pointee.addrlen))
    guard handle(context).mayDial(bytes) else { return CURL_SOCKET_BAD }
    let type = address.pointee.socktype | CInt(SOCK_CLOEXEC.rawValue)
    return socket(address.pointee.family, type, address.pointee.protocol)
}
