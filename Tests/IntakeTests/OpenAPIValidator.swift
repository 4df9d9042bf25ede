import HTTP
import JSON

@testable import Intake

/// Holds exchanges against the description that the API gives of itself.
struct OpenAPIValidator: Sendable {
    let document: JSON
    private let schemas: SchemaValidator

    static let shared = OpenAPIValidator((try? JSON(parsing: OpenAPI.bytes)) ?? .null)

    init(_ document: JSON) {
        self.document = document
        self.schemas = SchemaValidator(document: document)
    }

    /// An operation that a request is of.
    struct Operation: Hashable {
        var path: String
        var method: String
    }

    var operations: [Operation] {
        (self.document["paths"]?.members ?? []).flatMap { path in
            (path.value.members ?? []).map { Operation(path: path.name, method: $0.name) }
        }
    }

    /// Nil for a request that is of none; HEAD is of GET's.
    func operation(of request: HTTPRequest) -> Operation? {
        guard let path = self.path(request.path) else { return nil }
        let method = request.method == "HEAD" ? "get" : request.method.lowercased()
        // Methods know their case.
        guard request.method == request.method.uppercased() else { return nil }
        let operation = Operation(path: path, method: method)
        return self[operation] == nil ? nil : operation
    }

    subscript(_ operation: Operation) -> JSON? {
        self.document["paths"]?[operation.path]?[operation.method]
    }

    /// What is not as it is described; empty when all is.
    func problems(_ request: HTTPRequest, _ response: HTTPResponse) -> [String] {
        guard let operation = self.operation(of: request), let described = self[operation] else {
            let expected = self.path(request.path) == nil ? 404 : 405
            let problems = self.schemas.problems(
                in: Self.json(response.body), schema: ["$ref": "#/components/schemas/Problem"])
            return response.status == expected ? problems : ["no such operation, and yet \(response.status)"]
        }
        var problems = self.problems(of: response, to: described)
        if response.status < 300, !request.body.isEmpty {
            problems += self.problems(ofBody: request, of: described)
        }
        return problems.map { "\(operation.method) \(operation.path) \(response.status): \($0)" }
    }

    // MARK: - Private

    /// The path as it is described; one without parameters goes before those with some.
    private func path(_ path: String) -> String? {
        let paths = (self.document["paths"]?.members ?? []).map(\.name)
        return paths.first { $0 == path } ?? paths.first { Self.matches(path, $0) }
    }

    private static func matches(_ path: String, _ pattern: String) -> Bool {
        let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
        let wanted = pattern.split(separator: "/", omittingEmptySubsequences: false)
        return pieces.count == wanted.count
            && zip(pieces, wanted).allSatisfy { $0 == $1 || ($1.hasPrefix("{") && !$0.isEmpty) }
    }

    private func problems(of response: HTTPResponse, to operation: JSON) -> [String] {
        guard let named = operation["responses"]?["\(response.status)"] else { return ["the status is not described"] }
        let described = self.schemas.resolved(named)
        var problems: [String] = []
        for header in described["headers"]?.members ?? [] {
            let wanted = self.schemas.resolved(header.value)
            switch response.fields[header.name] {
            case nil where wanted["required"] == true: problems.append("lacks \(header.name)")
            case let value?: problems += self.schemas.problems(inText: value, schema: wanted["schema"] ?? [:])
            default: break
            }
        }
        // What says nothing has no body.
        if response.status == 204, described["content"] == nil {
            return problems + (response.body.isEmpty ? [] : ["has a body"])
        }
        guard let content = described["content"]?[response.fields["Content-Type"] ?? ""] else {
            return problems + ["the type of the body is not described"]
        }
        return problems + self.schemas.problems(in: Self.json(response.body), schema: content["schema"] ?? [:])
    }

    /// What the API took must be what it says that it takes. Nulls count as absent where nothing else is said.
    private func problems(ofBody request: HTTPRequest, of operation: JSON) -> [String] {
        guard let schema = operation["requestBody"]?["content"]?["application/json"]?["schema"] else { return [] }
        let body = Self.json(request.body)
        let problems = self.schemas.problems(in: body, schema: schema)
        return problems.isEmpty
            ? [] : self.schemas.problems(in: body.withoutNulls, schema: schema).map { "request: \($0)" }
    }

    private static func json(_ body: [UInt8]) -> JSON { (try? JSON(parsing: body)) ?? .null }
}

extension JSON {
    fileprivate var withoutNulls: JSON {
        switch self {
        case .object(let members):
            .object(members.filter { !$0.value.isNull }.map { .init($0.name, $0.value.withoutNulls) })
        case .array(let elements): .array(elements.map(\.withoutNulls))
        default: self
        }
    }
}
