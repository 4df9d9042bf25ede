/// What a load client asks for.
enum LoadRequest: Sendable {
    /// `POST /v1/messages` with so many messages, to numbers that begin with `prefix`, as in `+41`; a lone one is no array.
    case messages(Int, prefix: String)
    /// `POST /v1/verifications`, to such numbers.
    case verifications(prefix: String)
    /// A guess at one verification after the other, and at the first again behind the last.
    case checks(of: [String], code: String)
    /// `GET /v1/messages/{id}` of one message after the other, and of the first again behind the last.
    case looks(at: [String])

    /// What one request counts for.
    var weight: Int {
        switch self {
        case .messages(let count, _): count
        case .verifications, .checks, .looks: 1
        }
    }

    /// The status that says that it was done.
    var success: Int {
        switch self {
        case .messages, .verifications: 202
        case .checks, .looks: 200
        }
    }
}

/// One request as bytes, in which only the recipients' numbers or the verification's id change from use to use.
///
/// Both have a fixed width, so the length of the body never changes and the head is written once: making the next request is
/// writing a few characters over others.
struct RequestTemplate {
    /// Digits of the number that follow the prefix.
    static let digitCount = 9

    private(set) var bytes: [UInt8]
    /// Where each message's digits begin, or the id.
    private let places: [Int]
    /// What is written there; nil for digits.
    private let ids: [String]?

    init(_ request: LoadRequest, key: String) {
        switch request {
        case .messages(let count, let prefix): self.init(messages: count, prefix: prefix, key: key)
        case .verifications(let prefix): self.init(verificationsTo: prefix, key: key)
        case .checks(let ids, let code): self.init(checksOf: ids, code: code, key: key)
        case .looks(let ids): self.init(looksAt: ids, key: key)
        }
    }

    /// Writes what changes, for the request or the messages from number `first` on.
    mutating func address(from first: Int) {
        if let ids {
            let id = ids[first % ids.count].utf8
            self.bytes.replaceSubrange(self.places[0]..<self.places[0] + id.count, with: id)
            return
        }
        for (index, place) in self.places.enumerated() {
            var rest = first + index
            for digit in stride(from: place + Self.digitCount - 1, through: place, by: -1) {
                self.bytes[digit] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
        }
    }

    // MARK: - Private

    private init(messages: Int, prefix: String, key: String) {
        var body: [UInt8] = messages == 1 ? [] : Array("[".utf8)
        var places: [Int] = []
        for index in 0..<messages {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += #"{"to":"\#(prefix)"#.utf8
            places.append(body.count)
            body += String(repeating: "0", count: Self.digitCount).utf8
            body += #"","body":"Your code is 493817","priority":"otp"}"#.utf8
        }
        if messages > 1 { body.append(UInt8(ascii: "]")) }
        let head = Self.head("/v1/messages", key: key, length: body.count)
        self.bytes = head + body
        self.places = places.map { $0 + head.count }
        self.ids = nil
    }

    private init(verificationsTo prefix: String, key: String) {
        let start = #"{"application":"bench","template":"bench","to":"\#(prefix)"#
        let body = start + String(repeating: "0", count: Self.digitCount) + #""}"#
        let head = Self.head("/v1/verifications", key: key, length: body.utf8.count)
        self.bytes = head + Array(body.utf8)
        self.places = [head.count + start.utf8.count]
        self.ids = nil
    }

    private init(checksOf ids: [String], code: String, key: String) {
        let body = #"{"code":"\#(code)"}"#
        let path = "/v1/verifications/"
        let head = Self.head("\(path)\(ids[0])/check", key: key, length: body.utf8.count)
        self.bytes = head + Array(body.utf8)
        self.places = ["POST \(path)".utf8.count]
        self.ids = ids
    }

    private init(looksAt ids: [String], key: String) {
        let start = "GET /v1/messages/"
        self.bytes = Array(
            "\(start)\(ids[0]) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(key)\r\n\r\n".utf8)
        self.places = [start.utf8.count]
        self.ids = ids
    }

    private static func head(_ path: String, key: String, length: Int) -> [UInt8] {
        Array(
            ("POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(key)\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(length)\r\n\r\n").utf8)
    }
}
