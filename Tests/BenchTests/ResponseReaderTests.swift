import Testing

@testable import Bench

struct ResponseReaderTests {
    private static let response =
        "HTTP/1.1 202 Accepted\r\nDate: now\r\ncontent-LENGTH:  5\r\nLocation: /a\r\n\r\nhello"

    @Test func tellsTheStatusOfAWholeResponse() throws {
        var reader = ResponseReader()
        #expect(try reader.take(Self.response.utf8) == 202)
        #expect(try reader.take(Self.response.replacing("202", with: "503").utf8) == 503)
    }

    @Test(arguments: 1..<Self.response.utf8.count)
    func waitsForTheRestWhereverItIsCut(_ cut: Int) throws {
        var reader = ResponseReader()
        #expect(try reader.take(Self.response.utf8.prefix(cut)) == nil)
        #expect(try reader.take(Self.response.utf8.dropFirst(cut)) == 202)
    }

    @Test func tellsWhenARequestIsWhole() throws {
        var reader = ResponseReader(of: .request)
        let request = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
        #expect(try reader.take(request.utf8.dropLast()) == nil)
        #expect(try reader.take("}".utf8) == 0)
        #expect(try reader.take(request.utf8) == 0)
        #expect(throws: ResponseReader.Malformed.self) { try reader.take(Self.response.utf8) }
    }

    @Test func takesAResponseWithoutABody() throws {
        var reader = ResponseReader()
        #expect(try reader.take("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n".utf8) == 204)
    }

    @Test(arguments: [
        "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 many\r\nContent-Length: 0\r\n\r\n", Self.response + "HTTP/1.1 100",
        String(repeating: "x", count: ResponseReader.headByteLimit + 1),
    ])
    func refusesWhatItCannotCount(_ response: String) {
        var reader = ResponseReader()
        #expect(throws: ResponseReader.Malformed.self) { try reader.take(response.utf8) }
    }
}

extension ResponseReader {
    mutating func take(_ bytes: some Sequence<UInt8>) throws -> Int? {
        try Array(bytes).withUnsafeBytes { bytes in try self.read(bytes) }
    }
}
