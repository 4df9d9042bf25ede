import JSON
import Testing

@testable import Bench

struct RequestTemplateTests {
    @Test func aLoneMessageIsNoArray() throws {
        var template = RequestTemplate(.messages(1, prefix: "+41"), key: "k")
        template.address(from: 123)
        let (head, body) = try Self.split(template.bytes)
        #expect(head.hasPrefix("POST /v1/messages HTTP/1.1\r\n"))
        #expect(head.contains("Authorization: Bearer k\r\n"))
        #expect(head.contains("Content-Length: \(body.utf8.count)\r\n"))
        #expect(try JSON(parsing: Array(body.utf8))["to"]?.string == "+41000000123")
    }

    @Test func theMessagesOfARequestGoToDifferentNumbers() throws {
        var template = RequestTemplate(.messages(3, prefix: "+42"), key: "k")
        let length = template.bytes.count
        template.address(from: 998)
        template.address(from: 999_999_997)
        let json = try JSON(parsing: Array(try Self.split(template.bytes).body.utf8))
        #expect(json.array?.compactMap { $0["to"]?.string } == ["+42999999997", "+42999999998", "+42999999999"])
        #expect(template.bytes.count == length)
    }

    @Test func guessesGoFromVerificationToVerificationAndBeginAnew() throws {
        let ids = ["01a1fc5e-cd8d-74ec-b144-8cd5fd242a00", "01a1fc5e-cd8d-74ec-b144-8cd5fd242a01"]
        var template = RequestTemplate(.checks(of: ids, code: "493817"), key: "k")
        for number in 0..<5 {
            template.address(from: number)
            let (head, body) = try Self.split(template.bytes)
            #expect(head.hasPrefix("POST /v1/verifications/\(ids[number % 2])/check HTTP/1.1\r\n"))
            #expect(body == #"{"code":"493817"}"#)
            #expect(head.contains("Content-Length: \(body.utf8.count)\r\n"))
        }
    }

    @Test func looksGoFromMessageToMessage() throws {
        let ids = ["01a1fc5e-cd8d-74ec-b144-8cd5fd242a00", "01a1fc5e-cd8d-74ec-b144-8cd5fd242a01"]
        var template = RequestTemplate(.looks(at: ids), key: "k")
        for number in 0..<3 {
            template.address(from: number)
            let (head, body) = try Self.split(template.bytes)
            #expect(head.hasPrefix("GET /v1/messages/\(ids[number % 2]) HTTP/1.1\r\n"))
            #expect(head.contains("Authorization: Bearer k\r\n"))
            #expect(body.isEmpty)
        }
    }

    private static func split(_ bytes: [UInt8]) throws -> (head: String, body: String) {
        let text = String(decoding: bytes, as: UTF8.self)
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        return (String(text[..<end.lowerBound]) + "\r\n", String(text[end.upperBound...]))
    }
}
