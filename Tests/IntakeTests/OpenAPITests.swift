import HTTP
import JSON
import Testing

@testable import Intake

@Suite(.timeLimit(.minutes(3))) struct OpenAPITests {
    /// Everything that can be done, done: the fixture holds each answer against the description.
    @Test func everyOperationIsExercised() async throws {
        try await IntakeFixture.run { fixture async throws in
            let codes = try await Codes(fixture)
            let message = try await fixture.accept()
            #expect(await fixture.post([IntakeFixture.message, IntakeFixture.call, IntakeFixture.mail]).status == 202)
            _ = await fixture.get("/v1/messages/\(message)")
            _ = await fixture.get("/v1/messages")
            _ = await fixture.ask("POST", "/v1/messages/\(message)/cancel")
            _ = await fixture.get("/v1/applications")
            _ = await fixture.get("/v1/applications/\(codes.application)")
            _ = await fixture.patch("/v1/applications/\(codes.application)", ["name": "market"])
            _ = await fixture.get("/v1/templates?application=\(codes.application)")
            for template in [codes.text, codes.email] { _ = await fixture.get("/v1/templates/\(template)") }
            _ = await fixture.patch("/v1/templates/\(codes.text)", ["sender": "Shop"])
            let id = try await codes.start()
            _ = await codes.resend(id)
            _ = await codes.check(id, try await codes.code(of: id))
            _ = await fixture.post("/v1/verifications/search", ["to": .string(IntakeFixture.number)])
            _ = await fixture.post("/v1/recipients/unlock", ["to": .string(IntakeFixture.number)])
            _ = await fixture.post("/v1/recipients/erase", ["to": "+41790000099"])
            _ = await fixture.get("/v1/account")
            _ = await fixture.get("/v1/account/prices")
            _ = await fixture.put("/v1/account/prices", ["prices": [["price": "0.05", "network": "22801"]]])
            _ = await fixture.topUp("first", "1")
            _ = await fixture.post("/v1/messages/\(message)/conversion", ["converted": true])
            _ = await fixture.get("/v1/rates")
            _ = await fixture.get("/v1/reports/silent")
            _ = await fixture.post("/v1/opt-outs", ["to": .string(IntakeFixture.number)])
            _ = await fixture.post("/v1/opt-outs/search", [:])
            _ = await fixture.post("/v1/opt-outs/remove", ["to": .string(IntakeFixture.number)])
            try await Self.exerciseWebhooks(fixture)
            await Self.exerciseGuard(fixture)
            _ = await fixture.get("/openapi.json")
            let missing = Set(OpenAPIValidator.shared.operations).subtracting(fixture.exercised.all)
            #expect(missing.isEmpty)
        }
    }

    private static func exerciseWebhooks(_ fixture: IntakeFixture) async throws {
        let webhooks = Webhooks(fixture)
        let webhook = try await webhooks.make()
        let path = "/v1/webhooks/\(webhook.id)"
        _ = await fixture.get("/v1/webhooks")
        _ = await fixture.get(path)
        _ = await fixture.patch(path, ["in_flight": 2])
        _ = await fixture.post("\(path)/rotate", ["overlap": "1h"])
        let event = try await webhooks.event()
        try await webhooks.tell()
        _ = await fixture.get("/v1/events")
        _ = await fixture.get("/v1/events/\(event)")
        _ = await fixture.post("/v1/events/\(event)/replay", ["webhook": .string(webhook.id)])
        _ = await fixture.post("\(path)/replay", ["since": "2026-01-01T00:00:00Z"])
        _ = await fixture.ask("DELETE", path)
    }

    private static func exerciseGuard(_ fixture: IntakeFixture) async {
        let key = IntakeFixture.guardKey
        let block = await fixture.post("/v1/guard/blocks", ["scope": "prefix", "value": "+4479000"], key: key)
        _ = await fixture.get("/v1/guard/blocks", key: key)
        _ = await fixture.get("/v1/guard/refusals", key: key)
        _ = await fixture.ask("DELETE", "/v1/guard/blocks/\(block.json["id"]?.string ?? "")?for=1h", key: key)
    }

    @Test func anybodyMayReadTheDescription() async throws {
        try await IntakeFixture.run { fixture async throws in
            for method in ["GET", "HEAD"] {
                let response = await fixture.ask(method, "/openapi.json", key: nil)
                #expect(response.status == 200)
                #expect(response.fields["Content-Type"] == "application/json")
                #expect(response.json["openapi"]?.string?.hasPrefix("3.1") == true)
            }
            let refused = await fixture.ask("POST", "/openapi.json", key: nil)
            #expect(refused.status == 405)
            #expect(refused.fields["Allow"] == "GET")
        }
    }

    /// Those that the web server gives have no operation of their own, so each must describe them.
    @Test func theWebServersRefusalsAreDescribed() {
        let bodies: Set = ["post", "patch", "put"]
        for operation in OpenAPIValidator.shared.operations {
            for status in [400, 408, 413, 414, 431, 503] where status != 413 || bodies.contains(operation.method) {
                let path = operation.path.replacing("{id}", with: "1")
                let request = HTTPRequest(method: operation.method.uppercased(), path: path)
                #expect(OpenAPIValidator.shared.problems(request, Problem.refusal(status).response) == [])
            }
        }
    }

    @Test func everyReferencePointsSomewhere() {
        let schemas = SchemaValidator(document: OpenAPIValidator.shared.document)
        var count = 0
        func look(at json: JSON) {
            if json["$ref"]?.string != nil {
                count += 1
                #expect(!schemas.resolved(json).isNull, "\(json.text)")
            }
            for member in json.members ?? [] { look(at: member.value) }
            for element in json.array ?? [] { look(at: element) }
        }
        look(at: OpenAPIValidator.shared.document)
        #expect(count > 100)
    }

    @Test func examplesAreWhatTheySayToBe() {
        let document = OpenAPIValidator.shared.document
        let schemas = SchemaValidator(document: document)
        for schema in document["components"]?["schemas"]?.members ?? [] {
            for example in schema.value["examples"]?.array ?? [] {
                #expect(schemas.problems(in: example, schema: schema.value) == [], "\(schema.name)")
            }
        }
        for operation in OpenAPIValidator.shared.operations {
            let content = OpenAPIValidator.shared[operation]?["requestBody"]?["content"]?["application/json"]
            guard let example = content?["example"] else { continue }
            #expect(schemas.problems(in: example, schema: content?["schema"] ?? [:]) == [], "\(operation)")
        }
    }
}

/// That what is not described is noticed.
@Suite struct OpenAPIValidatorTests {
    private static let id = "0192d1e4-7000-7000-8000-000000000001"
    private static let check = HTTPRequest(
        method: "POST", path: "/v1/verifications/\(id)/check", body: Array(#"{"code":"1"}"#.utf8))
    private static let right: JSON = ["id": .string(id), "valid": true, "status": "verified"]
    private static let wrong: JSON = ["id": .string(id), "valid": false, "status": "pending", "attempts_left": 3]

    private static func response(_ body: JSON, status: Int = 200, type: String = "application/json") -> HTTPResponse {
        HTTPResponse(status: status, fields: ["Content-Type": type], body: body.serialized())
    }

    @Test(arguments: [Self.right, Self.wrong])
    func whatIsDescribedPasses(body: JSON) {
        #expect(OpenAPIValidator.shared.problems(Self.check, Self.response(body)) == [])
    }

    @Test(arguments: [
        Self.right.with(["code": "123456"]), Self.right.with(["valid": nil]), Self.right.with(["valid": "true"]),
        Self.right.with(["status": "pending"]), Self.right.with(["id": "1"]), Self.wrong.with(["attempts_left": -1]),
        Self.wrong.with(["attempts_left": 1.5]), Self.wrong.with(["attempts_left": nil]), .null, [], [Self.right],
    ])
    func anotherBodyIsNoticed(body: JSON) {
        #expect(OpenAPIValidator.shared.problems(Self.check, Self.response(body)).count == 1)
    }

    @Test func anotherAnswerIsNoticed() {
        let validator = OpenAPIValidator.shared
        #expect(!validator.problems(Self.check, Self.response(Self.right, status: 201)).isEmpty)
        #expect(!validator.problems(Self.check, Self.response(Self.right, type: "text/plain")).isEmpty)
        let elsewhere = HTTPRequest(method: "GET", path: "/v1/codes")
        #expect(!validator.problems(elsewhere, Self.response(Self.right)).isEmpty)
        #expect(validator.problems(elsewhere, Problem.notFound.response) == [])
        let deletion = HTTPRequest(method: "DELETE", path: "/v1/verifications/\(Self.id)")
        #expect(!validator.problems(deletion, Self.response([:], status: 204)).isEmpty)
        #expect(validator.problems(deletion, Problem.methodNotAllowed("GET").response) == [])
        var unknown = Problem.notFound
        unknown.code = "no_such_code"
        #expect(!validator.problems(Self.check, unknown.response).isEmpty)
        var request = Self.check
        request.body = Array(#"{"code":"1","pin":"1"}"#.utf8)
        #expect(!validator.problems(request, Self.response(Self.right)).isEmpty)
    }

    @Test func aHeaderThatIsMissingIsNoticed() {
        let start = HTTPRequest(method: "POST", path: "/v1/verifications")
        let body: JSON = ["id": .string(Self.id), "status": "pending"]
        var response = Self.response(body, status: 202)
        #expect(OpenAPIValidator.shared.problems(start, response).count == 1)
        response.fields["Location"] = "/v1/verifications/\(Self.id)"
        #expect(OpenAPIValidator.shared.problems(start, response) == [])
    }
}
