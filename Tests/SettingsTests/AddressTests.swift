import Settings
import Testing

struct AddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", UInt16(8080)), ("[::1]:0", "::1", 0), ("db.internal:5432", "db.internal", 5432),
        ("my_host-1:65535", "my_host-1", 65535), ("[fe80::1]:443", "fe80::1", 443),
    ])
    func anAddressIsAHostAndAPort(text: String, host: String, port: UInt16) {
        #expect(Address(text) == Address(host: host, port: port))
        #expect(Address(text)?.description == text)
    }

    @Test(arguments: [
        "", "8080", ":8080", "host", "host:", "host:65536", "host:-1", "host:+1", "::1:80", "[::1]", "[::1:80",
        "[host]:80", "a..b:80", "a b:80", "http://a:80", "host:80 ",
    ])
    func anythingElseIsNone(text: String) {
        #expect(Address(text) == nil)
    }
}
