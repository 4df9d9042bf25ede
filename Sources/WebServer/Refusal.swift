import CMicroHTTP
import HTTP

/// What the server answers without asking its handler.
enum Refusal {
    /// A problem document (RFC 9457) that says no more than the status does, and when to come back.
    static let problem: @Sendable (Int, String?) -> HTTPResponse = { status, _ in
        let body = #"{"type":"about:blank","title":"\#(Self.phrase(status))","status":\#(status)}"#
        var fields: HTTPFields = ["Content-Type": "application/problem+json"]
        if status == 503 { fields["Retry-After"] = "1" }
        return HTTPResponse(status: status, fields: fields, body: Array(body.utf8))
    }

    static func phrase(_ status: Int) -> String {
        String(cString: MHD_get_reason_phrase_for(UInt32(clamping: status)))
    }

    /// A whole response as bytes on the wire, for the one place where libmicrohttpd writes none.
    static func serialized(_ response: HTTPResponse) -> [UInt8] {
        var text = "HTTP/1.1 \(response.status) \(Self.phrase(response.status))\r\n"
        for field in response.fields.all where HTTPFields.isSendable(name: field.name, value: field.value) {
            text += "\(field.name): \(field.value)\r\n"
        }
        text += "Content-Length: \(response.body.count)\r\nConnection: close\r\n\r\n"
        return Array(text.utf8) + response.body
    }
}
