import HTTP
import JSON
import Messaging
import Postgres
import WebClient

// What tests ask of the processes and of the database.
extension Deployment {
    /// Sends a request to the API.
    func api(
        _ method: String = "GET", _ path: String, body: JSON? = nil, key: String? = nil, idempotencyKey: String? = nil,
        timeout: Duration = .seconds(30)
    ) async throws(WebClientError) -> HTTPResponse {
        var fields: HTTPFields = ["Authorization": "Bearer \(key ?? self.secrets.apiKey)"]
        if body != nil { fields["Content-Type"] = "application/json" }
        if let idempotencyKey { fields["Idempotency-Key"] = idempotencyKey }
        return try await self.client.send(
            WebRequest(
                method: method, url: "http://127.0.0.1:\(self.ports.api)\(path)", fields: fields,
                body: body?.serialized() ?? [], timeout: timeout))
    }

    /// Has the API accept one message and returns its id.
    func accept(to recipient: String, _ body: String, priority: String = "otp") async throws -> MessageID {
        try await self.accept(["to": .string(recipient), "body": .string(body), "priority": .string(priority)])
    }

    /// Has the API accept one message and returns its id.
    func accept(_ message: JSON) async throws -> MessageID {
        let response = try await self.api("POST", "/v1/messages", body: message)
        guard response.status == 202, let id = MessageID(try response.json["id"]?.string ?? "") else {
            throw Failure("not accepted: \(response.status) \(response.text)")
        }
        return id
    }

    /// Has the API accept many messages in arrays of 1,000.
    func accept(_ count: Int, numbersFrom prefix: String, priority: String = "otp") async throws {
        for start in stride(from: 0, to: count, by: 1000) {
            let messages = (start..<min(start + 1000, count)).map { number -> JSON in
                let digits = String(10_000_000 + number).dropFirst()
                return [
                    "to": .string("\(prefix)\(digits)"), "body": "Your code is 493817", "priority": .string(priority),
                ]
            }
            let response = try await self.api("POST", "/v1/messages", body: .array(messages))
            guard response.status == 202 else { throw Failure("not accepted: \(response.status) \(response.text)") }
        }
    }

    /// A message as its owner sees it.
    func message(_ id: MessageID) async throws -> JSON {
        let response = try await self.api("GET", "/v1/messages/\(id)")
        guard response.status == 200 else { throw Failure("no message: \(response.status) \(response.text)") }
        return try response.json
    }

    /// Waits until a message has a status, and returns the message.
    func message(_ id: MessageID, being status: String, within limit: Duration = .seconds(30)) async throws -> JSON {
        try await eventually("message \(id) is \(status)", within: limit) {
            let message = try await self.message(id)
            // A bare nil would be JSON's null.
            return message["status"]?.string == status ? message : JSON?.none
        }
    }

    /// What `/readyz` of a process says; nil when it does not answer.
    func readiness(of process: ManagedProcess) async -> Int? {
        try? await self.client.send(WebRequest(url: "http://127.0.0.1:\(process.operationsPort)/readyz")).status
    }

    /// The first column of the one row that a query returns.
    func value<Value: PostgresDecodable>(_ query: SQL) async throws -> Value {
        let rows = try await self.database.query(query) { row throws(PostgresError) in
            try row.decode(0, as: Value.self)
        }
        guard rows.count == 1 else { throw Failure("\(rows.count) rows where one was expected") }
        return rows[0]
    }
}

// What tests ask of the carrier.
extension Deployment {
    func carrier(_ method: String = "GET", _ path: String, body: JSON? = nil) async throws -> HTTPResponse {
        let response = try await self.client.send(
            WebRequest(
                method: method, url: "http://127.0.0.1:\(self.ports.carrier)\(path)",
                fields: body == nil ? [:] : ["Content-Type": "application/json"], body: body?.serialized() ?? []))
        guard (200...299).contains(response.status) else { throw Failure("the carrier says \(response.text)") }
        return response
    }

    /// What the handset with this number, or the mailbox with this address, has received.
    func inbox(of recipient: String) async throws -> [JSON] {
        try await self.carrier("GET", "/inbox?to=\(PercentEncoding.encode(recipient))").jsonLines
    }

    /// How often each reference arrived.
    func arrivals() async throws -> [String: Int] {
        var arrivals: [String: Int] = [:]
        for line in try await self.carrier("GET", "/arrivals").jsonLines {
            arrivals[line["reference"]?.string ?? ""] = Int(line["count"]?.integer ?? 0)
        }
        return arrivals
    }

    /// Has the carrier answer late from now on.
    func slowDown(by duration: Duration) async throws {
        _ = try await self.carrier(
            "POST", "/faults", body: ["fault": "slow", "milliseconds": JSON(Int(duration / .milliseconds(1)))])
    }

    /// Has the carrier post the receipts for these numbers late from now on.
    func holdReceipts(to prefix: String, for duration: Duration) async throws {
        _ = try await self.carrier(
            "POST", "/faults",
            body: [
                "fault": "receipt_late", "to": .string(prefix), "milliseconds": JSON(Int(duration / .milliseconds(1))),
            ])
    }

    func endFaults() async throws { _ = try await self.carrier("DELETE", "/faults") }
}

extension HTTPResponse {
    var text: String { String(decoding: self.body, as: UTF8.self) }
    var json: JSON { get throws { try JSON(parsing: self.body) } }

    var jsonLines: [JSON] {
        get throws { try self.body.split(separator: UInt8(ascii: "\n")).map { try JSON(parsing: Array($0)) } }
    }
}
