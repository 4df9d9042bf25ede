import CMicroHTTP
import HTTP

/// The way of one exchange, step by step, on libmicrohttpd's threads.
extension WebServer {
    func open(_ connection: OpaquePointer) -> ClientConnection {
        let client = ClientConnection(connection)
        self.connections.add(client)
        return client
    }

    func close(_ client: ClientConnection) {
        self.connections.remove(client)
        client.answerUnheard(
            by: { status in Refusal.serialized(self.refusal(self.exchanges.isDraining ? 503 : status, of: nil)) },
            patience: min(self.configuration.idleTimeout, self.configuration.requestDeadline)
        )
    }

    /// The head is complete: lets the body come, or refuses.
    func readHead(
        of exchange: Exchange, on connection: OpaquePointer, method: UnsafePointer<CChar>,
        version: UnsafePointer<CChar>
    ) -> MHD_Result {
        let target = exchange.target
        let head = RequestHead(
            of: connection, method: method, version: version, target: target,
            headerByteLimit: self.configuration.headerByteLimit
        )
        if let status = head.refusal { return self.refuse(status, of: exchange, on: connection) }
        let length = head.contentLength ?? 0
        if length > self.configuration.bodyByteLimit, head.expectsContinue || length > self.swallowByteLimit {
            return self.refuse(413, of: exchange, on: connection)
        }
        if length > self.configuration.bodyByteLimit {
            exchange.overflow(413)
            return .YES
        }
        let request = HTTPRequest(
            method: String(cString: method), path: target.path ?? "/", query: target.query, fields: head.fields,
            peer: exchange.client.peer
        )
        guard exchange.begin(request, expecting: length, isLast: head.isChunked) else {
            return self.refuse(503, of: exchange, on: connection)
        }
        return .YES
    }

    /// A piece of the body.
    func receive(_ piece: UnsafeRawBufferPointer, of exchange: Exchange) -> MHD_Result {
        let count = exchange.append(piece, limit: self.configuration.bodyByteLimit)
        // In the middle of a body libmicrohttpd takes no response, so there is only the end.
        return count <= self.swallowByteLimit ? .YES : .NO
    }

    /// The body is complete.
    func finish(_ exchange: Exchange, on connection: OpaquePointer) -> MHD_Result {
        if case .overflowing(let status) = exchange.phase { return self.refuse(status, of: exchange, on: connection) }
        guard let refusal = self.accept(exchange) else { return .YES }
        return self.queue(refusal, isLast: true, on: connection)
    }

    /// The connection has been resumed because there is an answer.
    func send(_ exchange: Exchange, on connection: OpaquePointer) -> MHD_Result {
        guard let response = exchange.takeResponse() else { return .YES }
        if response.dropsConnection {
            exchange.client.beSilent()
            return .NO
        }
        let isLast = exchange.isLast || self.exchanges.isDraining
        if self.queue(response, isLast: isLast, on: connection) == .YES { return .YES }
        return self.refuse(500, of: exchange, on: connection)
    }

    func complete(_ exchange: Exchange) {
        exchange.client.endAnswering()
        switch exchange.phase {
        case .waiting, .answered, .sent: self.exchanges.markSent()
        case .begun, .receiving, .overflowing: break
        }
    }

    // MARK: - Private

    /// A body this much too long is still read to its end, so that its sender, which reads no answer while it writes,
    /// gets the 413. Beyond, the connection is closed.
    private var swallowByteLimit: Int { self.configuration.bodyByteLimit + 4 << 20 }

    private func refuse(_ status: Int, of exchange: Exchange, on connection: OpaquePointer) -> MHD_Result {
        self.queue(self.refusal(status, of: exchange), isLast: true, on: connection)
    }

    /// Gives a response to libmicrohttpd, which adds `Date` and `Content-Length`; `.NO` when it cannot be sent.
    private func queue(_ response: HTTPResponse, isLast: Bool, on connection: OpaquePointer) -> MHD_Result {
        guard Self.isSendable(response), let handle = Self.handle(response, isLast: isLast) else { return .NO }
        defer { MHD_destroy_response(handle) }
        return MHD_queue_response(connection, UInt32(response.status), handle)
    }

    /// libmicrohttpd closes the connection without an answer when a head does not fit its memory.
    private static func isSendable(_ response: HTTPResponse) -> Bool {
        let fieldByteCount = response.fields.all.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        return (200...599).contains(response.status) && fieldByteCount <= Self.responseFieldByteLimit
    }

    /// The body is copied: the array's memory may not outlive this call.
    private static func handle(_ response: HTTPResponse, isLast: Bool) -> OpaquePointer? {
        let handle = response.body.withUnsafeBytes { body in
            MHD_create_response_from_buffer(
                body.count, UnsafeMutableRawPointer(mutating: body.baseAddress), .RESPMEM_MUST_COPY
            )
        }
        guard let handle else { return nil }
        for field in response.fields.all where !Self.isFraming(field.name) {
            guard HTTPFields.isSendable(name: field.name, value: field.value),
                MHD_add_response_header(handle, field.name, field.value) == .YES
            else {
                MHD_destroy_response(handle)
                return nil
            }
        }
        if isLast { MHD_add_response_header(handle, "Connection", "close") }
        return handle
    }

    /// What only the one who frames the message may say.
    private static func isFraming(_ name: String) -> Bool {
        switch name.utf8.count {
        case 10: name.lowercased() == "connection"
        case 14: name.lowercased() == "content-length"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }
}
