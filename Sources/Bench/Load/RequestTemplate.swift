/// One `POST /v1/messages` as bytes, in which only the recipients' numbers change from use to use.
///
/// Numbers have a fixed width, so the length of the body never changes and the head is written once: making the next
/// request is writing a few digits over others.
struct RequestTemplate {
    /// Digits of the number that follow the prefix.
    static let digitCount = 9

    private(set) var bytes: [UInt8]
    /// Where each message's digits begin.
    private let places: [Int]

    /// A request with `messages` messages to numbers that begin with `prefix`, as in `+41`; a lone one is no array.
    init(messages: Int, prefix: String, key: String) {
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
        let head =
            "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(key)\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        self.bytes = Array(head.utf8) + body
        self.places = places.map { $0 + head.utf8.count }
    }

    /// Addresses the messages to the numbers from `first` on.
    mutating func address(from first: Int) {
        for (index, place) in self.places.enumerated() {
            var rest = first + index
            for digit in stride(from: place + Self.digitCount - 1, through: place, by: -1) {
                self.bytes[digit] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
        }
    }
}
