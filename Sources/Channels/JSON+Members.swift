import Crypto
import HTTP
import JSON

extension JSON {
    /// An object of those members that have a value.
    static func present(_ members: [(name: String, value: JSON?)]) -> JSON {
        .object(members.compactMap { member in member.value.map { Member(member.name, $0) } })
    }
}

extension OutgoingRequest {
    /// A body of JSON under an `Authorization`.
    static func post(_ url: String, _ body: JSON, authorization: Secret) -> OutgoingRequest {
        OutgoingRequest(
            method: "POST", url: url,
            fields: [
                "Authorization": authorization.text, "Content-Type": "application/json", "Accept": "application/json",
            ],
            body: body.serialized())
    }

    /// An inquiry under an `Authorization`.
    static func get(_ url: String, authorization: Secret) -> OutgoingRequest {
        OutgoingRequest(
            method: "GET", url: url, fields: ["Authorization": authorization.text, "Accept": "application/json"],
            body: [])
    }
}
