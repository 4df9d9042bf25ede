/// A response, whole.
public struct HTTPResponse: Sendable, Hashable {
    /// 200...599; interim responses are nobody's answer.
    public var status: Int
    public var fields: HTTPFields
    public var body: [UInt8]

    public init(status: Int, fields: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}
