import HTTP
import JSON

extension HTTPResponse {
    static func json(_ status: Int, _ body: JSON) -> HTTPResponse {
        HTTPResponse(status: status, fields: ["Content-Type": "application/json"], body: body.serialized())
    }

    /// One value a line.
    static func jsonLines(_ values: some Sequence<JSON>) -> HTTPResponse {
        var body: [UInt8] = []
        for value in values {
            value.write(into: &body)
            body.append(UInt8(ascii: "\n"))
        }
        return HTTPResponse(status: 200, fields: ["Content-Type": "application/x-ndjson"], body: body)
    }

    static func problem(_ status: Int, _ text: String) -> HTTPResponse {
        .json(status, ["problem": .string(text)])
    }
}
