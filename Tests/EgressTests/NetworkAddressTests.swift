import Egress
import Glibc
import Testing

@Suite struct NetworkAddressTests {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("192.0.2.255", "192.0.2.255"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("64:ff9c::1", "64:ff9c::1"),
        ("2001:db8::192.0.2.33", "2001:db8::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        // A mapped address is the IPv4 address.
        ("::ffff:127.0.0.1", "127.0.0.1"), ("::ffff:7f00:1", "127.0.0.1"), ("0:0:0:0:0:FFFF:0A00:0001", "10.0.0.1"),
    ])
    func isReadAndWrittenInItsNormalForm(text: String, normal: String) {
        #expect(NetworkAddress(text)?.description == normal)
        #expect(NetworkAddress(normal)?.description == normal)
    }

    @Test(arguments: [
        "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ", " 1.2.3.4", "1.2.3.", ".1.2.3", "1..2.3",
        "01.2.3.4",
        "1.2.3.04", "00.0.0.0", "0177.0.0.1", "0177.1", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0x7f.0.0.1",
        "+1.2.3.4", "-1.2.3.4", "1.2.3.4/8", "1.2.3.4%eth0", "1.2.3.1234", "١.2.3.4",
        ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::",
        "g::", "::1%lo", "::1%25lo", "[::1]", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "::1.2.3", "::01.2.3.4", "1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "::+1", "::-1", "localhost",
    ])
    func anythingElseIsNone(text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test func isTakenFromWhatTheKernelWrites() {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = UInt16(443).bigEndian
        v4.sin_addr.s_addr = UInt32(0xC000_0221).bigEndian
        withUnsafeBytes(of: v4) { bytes in
            #expect(NetworkAddress(socketAddress: bytes)?.description == "192.0.2.33")
            #expect(NetworkAddress(socketAddress: UnsafeRawBufferPointer(rebasing: bytes[..<7])) == nil)
        }
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        for (text, normal) in [("2001:db8::42", "2001:db8::42"), ("::ffff:192.0.2.33", "192.0.2.33")] {
            #expect(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
            withUnsafeBytes(of: v6) { #expect(NetworkAddress(socketAddress: $0)?.description == normal) }
        }
        withUnsafeBytes(of: sockaddr_un()) { #expect(NetworkAddress(socketAddress: $0) == nil) }
        #expect(NetworkAddress(socketAddress: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
    }
}

@Suite struct NetworkTests {
    @Test(arguments: [
        ("127.0.0.0/8", "127.255.255.255", "128.0.0.0"), ("0.0.0.0/0", "255.255.255.255", "::"),
        ("10.1.2.3/32", "10.1.2.3", "10.1.2.2"), ("::1/128", "::1", "::2"), ("::/0", "ffff::", "1.2.3.4"),
        ("fe80::/10", "febf::1", "fec0::"), ("100.64.0.0/10", "100.127.255.255", "100.128.0.0"),
        ("127.0.0.0/8", "::ffff:127.0.0.1", "::7f00:1"),
    ])
    func holdsWhatBeginsLikeIt(text: String, inside: String, outside: String) throws {
        let network = try #require(Network(text))
        #expect(network.description == text)
        #expect(network.contains(try #require(NetworkAddress(inside))))
        #expect(!network.contains(try #require(NetworkAddress(outside))))
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8/8", "10.0.0.0/-1",
        "10.0.0.0/+8", "10.0.0.0/8 ", "10/8", "::1/129", "::1/127", "::1/", "[::1]/128", "::ffff:10.0.0.0/8",
        "::ffff:10.0.0.0/104", "localhost/8",
    ])
    func anythingElseIsNone(text: String) {
        #expect(Network(text) == nil)
    }
}
