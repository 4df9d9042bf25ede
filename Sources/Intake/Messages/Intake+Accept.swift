import Crypto
import Guard
import HTTP
import JSON
import Messaging
import Postgres
import Routing
import Store
import Telemetry
import Timestamps

extension Intake {
    /// `POST /v1/messages`: one message, or an array of which all are accepted or none.
    func accept(_ request: HTTPRequest, for principal: Principal) async throws(Problem) -> HTTPResponse {
        let key = try request.idempotencyKey
        let json = try request.json
        let ids = try await self.accept(json, for: principal, key: key) { Digest.sha256.hash(request.body) }
        return json.array == nil ? Self.accepted(ids[0]) : Self.accepted(ids)
    }

    // MARK: - Private

    private func accept(
        _ json: JSON, for principal: Principal, key: String?, fingerprint: () -> [UInt8]
    ) async throws(Problem) -> [MessageID] {
        let messages: [RoutedMessage]
        let passes: [GuardPass]
        do throws(Problem) {
            messages = try self.route(try Self.messages(in: json), isArray: json.array != nil, for: principal)
            try await self.refuseOptedOut(messages, isArray: json.array != nil, for: principal)
            passes = try self.gate.admit(messages, isArray: json.array != nil, of: principal.account)
        } catch {
            // What was accepted stays accepted, although its send time has passed since or its route has gone.
            let account = principal.account
            guard let key, let ids = try await self.acceptor.earlier(of: account, key: key, fingerprint: fingerprint())
            else { throw error }
            return ids
        }
        do throws(Problem) {
            let accepted = try await self.acceptor.accept(
                messages, for: principal.account, key: key, fingerprint: fingerprint())
            if accepted.isRepeated { self.gate.takeBack(passes) }
            return accepted.ids
        } catch {
            // What may have been stored counts as sent.
            if error != .outcomeUnknown { self.gate.takeBack(passes) }
            throw error
        }
    }

    private static func messages(in json: JSON) throws(Problem) -> [MessageRequest] {
        var reader = MessageReader(now: .now)
        let messages = reader.read(json)
        guard reader.problems.isEmpty else { throw .invalid(reader.problems) }
        return messages
    }

    private func route(
        _ messages: [MessageRequest], isArray: Bool, for principal: Principal
    ) throws(Problem) -> [RoutedMessage] {
        let access = self.access.current
        var routed: [RoutedMessage] = []
        routed.reserveCapacity(messages.count)
        var problems: [JSONProblem] = []
        for (index, message) in messages.enumerated() {
            if let way = access.way(for: message.routeQuery(of: principal.account)) {
                let price = try self.price(of: message, for: principal.account, access)
                routed.append(RoutedMessage(request: message, provider: way.provider, price: price))
            } else if problems.count < FieldReader.problemLimit {
                let path = isArray ? "/\(index)/to" : "/to"
                problems.append(.init(path, "has no route on the channel \(message.channel.rawValue)"))
            }
        }
        guard problems.isEmpty else { throw .invalid(problems) }
        return routed
    }

    private func price(
        of message: MessageRequest, for account: AccountID, _ access: Access
    ) throws(Problem) -> Price? {
        let price = access.price(for: message.recipient, channel: message.channel, account: account)
        do throws(MoneyOverflow) {
            return try price?.times(message.parts)
        } catch {
            throw .outOfBalance
        }
    }

    private func refuseOptedOut(
        _ messages: [RoutedMessage], isArray: Bool, for principal: Principal
    ) async throws(Problem) {
        guard self.optOuts.concern(principal.account) else { return }
        let optedOut = try await self.ask { () async throws(PostgresError) in
            try await self.optOuts.among(messages.map(\.request.recipient), of: principal.account)
        }
        guard !optedOut.isEmpty else { return }
        let refused = messages.indices.filter { optedOut.contains(messages[$0].request.recipient) }
        throw .invalid(
            refused.prefix(FieldReader.problemLimit).map {
                JSONProblem(isArray ? "/\($0)/to" : "/to", "has opted out")
            })
    }

    /// Nothing but the ids depends on when it is asked, so an answer under an idempotency key is the same, byte for byte.
    private static func accepted(_ id: MessageID) -> HTTPResponse {
        var fields = Self.fields
        fields["Location"] = "/v1/messages/\(id)"
        return HTTPResponse(status: 202, fields: fields, body: Array(#"{"id":"\#(id)","status":"queued"}"#.utf8))
    }

    private static func accepted(_ ids: [MessageID]) -> HTTPResponse {
        var body = Array(#"{"messages":["#.utf8)
        body.reserveCapacity(ids.count * 70 + 20)
        for (index, id) in ids.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += #"{"id":"\#(id)","status":"queued"}"#.utf8
        }
        body += "]}".utf8
        return HTTPResponse(status: 202, fields: Self.fields, body: body)
    }
}
