import Testing

@testable import Egress

@Suite struct EgressPolicyTests {
    /// The first and the last address of each network that is not public, and some inside.
    static let denied = [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.64.0.1", "100.100.100.200",
        "100.127.255.255", "127.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254",
        "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255",
        "192.88.99.0", "192.88.99.255", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
        "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
        "255.255.255.254", "255.255.255.255",
        "::", "::1", "::7f00:1", "::ffff:ffff", "::ffff:0:0", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", "::ffff:0:7f00:1", "64:ff9b::", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8",
        "64:ff9b::ffff:ffff", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "100::", "100::ffff:ffff:ffff:ffff",
        "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "2001:2::", "2001:10::", "2001:2f:ffff::", "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:7f00:1::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fc00::", "fd00:ec2::254", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::", "fe80::1", "febf::1", "fec0::1",
        "feff::1", "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]

    /// The addresses just before and just after them, and some that people use.
    static let permitted = [
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.254", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
        "192.0.1.255", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
        "223.255.255.255", "8.8.8.8", "1.1.1.1", "::ffff:8.8.8.8",
        "64:ff9a::1", "64:ff9b:0:1::", "64:ff9b:2::", "64:ff9c::1", "ff:ffff::", "100:0:0:1::", "2000::", "2001:1::1",
        "2001:30::", "2001:db7:ffff::", "2001:db9::", "2001:4860:4860::8888", "2003::", "2606:4700::1111",
        "3ffe:ffff::", "3fff:1000::", "5eff:ffff::", "5f01::", "fbff:ffff::", "fe00::", "fe7f:ffff::",
    ]

    @Test(arguments: denied) func addressesThatAreNotPublicAreDenied(text: String) throws {
        let address = try #require(NetworkAddress(text))
        #expect(!EgressPolicy().permits(address))
        #expect(!EgressPolicy().permits(address, port: 443))
    }

    @Test(arguments: permitted) func allOthersArePermitted(text: String) throws {
        let address = try #require(NetworkAddress(text))
        #expect(EgressPolicy().permits(address))
        #expect(EgressPolicy().permits(address, port: 443))
        #expect(!EgressPolicy().permits(address, port: 80))
    }

    @Test func anOperatorMayAllowNetworksAtAnyPort() throws {
        let policy = EgressPolicy(allowed: [Network("127.0.0.2/32")!, Network("fd00::/8")!], ports: [8443])
        let cases: [(String, UInt16, Bool)] = [
            ("127.0.0.2", 1, true), ("::ffff:127.0.0.2", 1, true), ("127.0.0.1", 8443, false), ("fd12::1", 80, true),
            ("fc00::1", 8443, false), ("8.8.8.8", 8443, true), ("8.8.8.8", 443, false),
        ]
        for (text, port, isPermitted) in cases {
            #expect(policy.permits(NetworkAddress(text)!, port: port) == isPermitted, "\(text) \(port)")
        }
        #expect(!policy.exemptsLocalhost)
        #expect(!EgressPolicy(allowed: [Network("127.0.0.0/8")!]).exemptsLocalhost)
        #expect(EgressPolicy(allowed: [Network("127.0.0.0/8")!, Network("::1/128")!]).exemptsLocalhost)
    }

    @Test func anOperatorMayDenyAddressesUnlessTheyAreAllowedAsWell() {
        let own = Network("8.8.8.8/32")!
        #expect(!EgressPolicy(denied: [own]).permits(NetworkAddress("8.8.8.8")!))
        #expect(EgressPolicy(denied: [own]).permits(NetworkAddress("8.8.8.9")!))
        #expect(EgressPolicy(allowed: [own], denied: [own]).permits(NetworkAddress("8.8.8.8")!))
    }
}
