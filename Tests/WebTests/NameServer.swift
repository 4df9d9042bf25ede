import Glibc
import Polling
import Synchronization

/// A name server on 127.0.0.1 that answers as a test wants it to.
final class NameServer: Sendable {
    struct Answer: Sendable {
        /// Each is told to those who ask for its kind.
        var addresses: [String] = []
        /// Another name, whose addresses they are said to be.
        var alias: String?
        /// Seconds.
        var timeToLive: UInt32 = 0
    }

    /// Decides by the name and by how often it was asked for before; nil stays silent.
    typealias Decision = @Sendable (_ name: String, _ earlierCount: Int) -> Answer?

    let port: UInt16
    private let descriptor: CInt
    private let counts = Mutex<[String: Int]>([:])

    init(_ decide: @escaping Decision) throws {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        self.descriptor = descriptor
        self.port = try bindToLoopback(descriptor, address: 0x7F00_0001, port: 0)
        Thread.detach(name: "name-server") { self.serve(decide) }
    }

    var address: String { "127.0.0.1:\(self.port)" }

    /// How often the addresses of a name were asked for; both kinds at once count once.
    func count(of name: String) -> Int { self.counts.withLock { $0[name] ?? 0 } }

    /// Ends the thread, which owns the socket, with an empty datagram.
    func close() {
        let sender = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        withLoopback(0x7F00_0001, self.port) { _ = sendto(sender, nil, 0, 0, $0, $1) }
        _ = Glibc.close(sender)
    }

    // MARK: - Private

    private func serve(_ decide: Decision) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var client = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &client) { client in
                client.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(self.descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            guard count > 0 else { break }
            guard let reply = self.reply(to: Array(buffer[..<count]), decide) else { continue }
            withUnsafePointer(to: &client) { client in
                client.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(self.descriptor, reply, reply.count, 0, $0, length)
                }
            }
        }
        _ = Glibc.close(self.descriptor)
    }

    private func reply(to query: [UInt8], _ decide: Decision) -> [UInt8]? {
        guard let question = Question(query) else { return nil }
        // The second question of a look-up belongs to the first: A comes before AAAA.
        let earlier = self.counts.withLock { counts -> Int in
            if question.type == typeA { counts[question.name, default: 0] += 1 }
            return (counts[question.name] ?? 1) - 1
        }
        guard let answer = decide(question.name, earlier) else { return nil }
        var records: [[UInt8]] = []
        if let alias = answer.alias {
            records.append(record(question.name, typeCNAME, answer.timeToLive, encoded(alias)))
        }
        for address in answer.addresses {
            guard let bytes = binary(address, type: question.type) else { continue }
            records.append(record(answer.alias ?? question.name, question.type, answer.timeToLive, bytes))
        }
        let head = query[..<2] + [0x81, 0x80, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
        return Array(head + query[12..<question.end] + records.joined())
    }
}

/// A question about one name (RFC 1035 section 4.1.2).
private struct Question {
    let name: String
    let type: UInt16
    let end: Int

    init?(_ query: [UInt8]) {
        var labels: [String] = []
        var next = 12
        while next < query.count, query[next] > 0 {
            let end = next + 1 + Int(query[next])
            guard end < query.count else { return nil }
            labels.append(String(decoding: query[(next + 1)..<end], as: UTF8.self))
            next = end
        }
        guard next + 5 <= query.count else { return nil }
        self.name = labels.joined(separator: ".")
        self.type = UInt16(query[next + 1]) << 8 | UInt16(query[next + 2])
        self.end = next + 5
    }
}

private let (typeA, typeCNAME, typeAAAA) = (UInt16(1), UInt16(5), UInt16(28))

private func record(_ name: String, _ type: UInt16, _ timeToLive: UInt32, _ data: [UInt8]) -> [UInt8] {
    encoded(name) + big(type) + big(UInt16(1)) + big(timeToLive) + big(UInt16(data.count)) + data
}

private func encoded(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
}

private func big(_ number: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

/// Nil when the address is not of this type.
private func binary(_ address: String, type: UInt16) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: type == typeA ? 4 : 16)
    guard type == typeA || type == typeAAAA else { return nil }
    return inet_pton(type == typeA ? AF_INET : AF_INET6, address, &bytes) == 1 ? bytes : nil
}
