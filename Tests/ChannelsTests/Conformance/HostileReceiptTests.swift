import Channels
import HTTP
import Messaging
import Testing

/// Callbacks that nobody would send who means well, under a right proof: the worst case, in which a provider has gone mad or a
/// secret is known. Refused, or read as far as they can be; never a crash, and nothing that a database or a log would choke on.
@Suite struct HostileReceiptTests {
    private static let deep = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
    private static let deepObjects = String(repeating: "{\"data\":", count: 2_000) + "1"
    private static let long = String(repeating: "9", count: 1 << 14)

    static let bodies: [[UInt8]] =
        [
            "", " ", "\0", "{", "}", "[", "[[]]", "[1,null,\"x\",{},[]]", "{}", "null", "true", "0", "-1e999",
            "\"\\ud800\"",
            "{\"a\":1,\"a\":2}", "{\"results\":[{}]}", "{\"results\":{}}",
            "{\"data\":{\"payload\":{\"to\":[{\"status\":[]}]}}}",
            "{\"data\":{\"payload\":{\"id\":7,\"to\":{}}}}", "[{\"type\":{},\"message\":[]}]",
            "{\"type\":\"recipient_delivery_report_sms\",\"batch_id\":[],\"status\":{}}", "%", "%ZZ=1", "a=%C3%28", "=",
            "&&&", "a&b&c",
            "MessageSid=\0&MessageStatus=%00", "messageId=%00&status=%00", "<?xml version=\"1.0\"?><!DOCTYPE x>", deep,
            deepObjects, "{\"results\":\(deep)}", "[\"\(long)\"]",
            "MessageSid=\(long)&MessageStatus=\(long)&ErrorCode=\(long)",
            "MessageUUID=\(long)&Status=\(long)",
            "{\"data\":{\"payload\":{\"id\":\"\(long)\",\"to\":[{\"status\":\"\(long)\"}]}}}",
            "[{\"type\":\"\(long)\",\"errorCode\":\(long),\"message\":{\"id\":\"\(long)\"}}]",
            "{\"type\":\"recipient_delivery_report_sms\",\"batch_id\":\"\(long)\",\"status\":\"a\\u0000b\",\"code\":1e400}",
            String(repeating: "a=1&", count: 2_000),
        ].map { Array($0.utf8) } + [
            [0xFF, 0xFE], [0xEF, 0xBB, 0xBF, 0x7B, 0x7D], [0x7B, 0x00, 0x7D, 0x00], [0x22, 0xC3, 0x28, 0x22],
            [0x1F, 0x8B, 0x08, 0x00],
        ]

    @Test(arguments: ConformanceCase.all) func nothingHostileCrashesOrIsStoredRaw(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        let template = item.callbacks[0].request
        for body in Self.bodies {
            for request in Self.requests(of: template, with: body) {
                self.check(driver, item.proving(request), item)
                self.check(driver, request, item)
            }
        }
    }

    @Test(arguments: ConformanceCase.all) func fieldsOfAnySizeProveNothing(_ item: ConformanceCase) throws {
        let driver = try item.driver()
        let names = [
            "Authorization", "X-Twilio-Signature", "X-Plivo-Signature-V3", "X-Plivo-Signature-V3-Nonce",
            "telnyx-signature-ed25519", "telnyx-timestamp", "MessageBird-Signature-JWT",
        ]
        let values = [
            "", "=", "Basic ", "Basic =", "Basic \(Self.long)", "Bearer x", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.",
            Self.long, String(repeating: "AA==,", count: 2_000), "-1", "99999999999999999999", "1e3", "\u{1F600}",
        ]
        for value in values {
            var request = item.callbacks[0].request
            for name in names { request.fields[name] = value }
            #expect(throws: ReceiptRefusal.unauthenticated) { try driver.receipts(in: request, now: item.now) }
        }
    }

    // MARK: - Private

    /// In the body, under each type, and in the query.
    private static func requests(of template: HTTPRequest, with bytes: [UInt8]) -> [HTTPRequest] {
        let types = [
            nil, "application/json", "application/x-www-form-urlencoded", "text/html",
            "application/json; charset=utf-16",
        ]
        var requests = types.map { type in
            var request = template
            request.method = "POST"
            request.body = bytes
            request.fields["Content-Type"] = type
            return request
        }
        var request = template
        request.method = "GET"
        request.query = String(decoding: bytes, as: UTF8.self)
        request.body = []
        requests.append(request)
        for method in ["PUT", "", "post"] {
            request = template
            request.method = method
            requests.append(request)
        }
        return requests
    }

    private func check(_ driver: any HTTPDriver, _ request: HTTPRequest, _ item: ConformanceCase) {
        do throws(ReceiptRefusal) {
            for receipt in try driver.receipts(in: request, now: item.now) {
                for text in [receipt.part, receipt.status, receipt.code] {
                    #expect(text.unicodeScalars.count <= 128)
                    #expect(!text.unicodeScalars.contains { $0.value < 0x20 })
                }
            }
        } catch {
            // A refusal tells what is wrong and never quotes.
            #expect(error.description.utf8.count < 60)
        }
    }
}
