import Egress
import Testing

@testable import WebClient

@Suite struct RouteTests {
    private let now = ContinuousClock.now

    private func route(_ url: String, _ addresses: [String]) throws -> Route {
        let policy = EgressPolicy(allowed: [Network("127.0.0.0/8")!, Network("::1/128")!])
        return Route(
            to: try CallbackURL(url, policy: policy), at: addresses.map { NetworkAddress($0)! },
            until: self.now + .seconds(30), connectedBy: self.now + .seconds(5), now: self.now + .seconds(2))
    }

    @Test func aNameIsPinnedToItsAddresses() throws {
        let route = try self.route("https://Example.com/x?y", ["192.0.2.1", "2001:db8::1"])
        #expect(route.pin == "+example.com:443:192.0.2.1,[2001:db8::1]")
        #expect(route.url == "https://example.com/x?y")
    }

    @Test(arguments: ["http://127.0.0.1:8080/", "http://[::1]:8080/"])
    func anAddressNeedsNoPin(url: String) throws {
        #expect(try self.route(url, []).pin == nil)
    }

    @Test func noMoreAddressesArePinnedThanAnybodyNeeds() throws {
        let pin = try #require(try self.route("https://example.com/", (0..<99).map { "192.0.2.\($0)" }).pin)
        #expect(pin.hasSuffix(",192.0.2.15"))
    }

    @Test func theTimeSpentSoFarIsGone() throws {
        let route = try self.route("https://example.com/", ["192.0.2.1"])
        #expect(route.timeout == .seconds(28))
        #expect(route.connectTimeout == .seconds(3))
    }
}
