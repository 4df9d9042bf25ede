import Egress
import Settings
import Testing

@testable import pinpost

/// Not among ``SystemTests``, which wait for each other: these read settings and start nothing.
@Suite struct CallbackSettingsTests {
    private static let loopback = ["127.0.0.0/8", "::1/128"].compactMap { Network($0) }

    private func settings(
        _ role: ProcessSettings.Role, _ environment: [String: String] = [:]
    ) throws -> ProcessSettings {
        var environment = environment
        if role != .up { environment["DATABASE_URL"] = "postgresql://db.test/pinpost" }
        if role.needsMasterKey { environment["PINPOST_MASTER_KEY"] = "1:" + String(repeating: "A", count: 43) + "=" }
        return try ProcessSettings.read(role, environment: environment)
    }

    @Test(arguments: [ProcessSettings.Role.api, .worker, .apply])
    func customersMayHaveOnlyPublicAddressesCalledUnlessTold(role: ProcessSettings.Role) throws {
        let policy = try self.settings(role).egress
        #expect(policy.allowed == [])
        #expect(policy.ports == [443])
        #expect(try self.settings(role).nameServers == [])
    }

    @Test func thisMachineMayBeCalledByUpWithAPrivateDatabase() throws {
        #expect(try self.settings(.up).egress.allowed == Self.loopback)
        #expect(try self.settings(.up, ["DATABASE_URL": "postgresql://db.test/pinpost"]).egress.allowed == [])
        #expect(try self.settings(.up, ["PINPOST_CALLBACK_ALLOW": "none"]).egress.allowed == [])
    }

    @Test func thisMachinesOwnAddressesAreDenied() throws {
        #expect(try self.settings(.worker).egress.denied.contains(Network("127.0.0.1/32")!))
    }

    @Test func listsAreReadWithAndWithoutSpaces() throws {
        let settings = try self.settings(
            .worker,
            [
                "PINPOST_CALLBACK_ALLOW": "127.0.0.0/8, ::1/128", "PINPOST_CALLBACK_PORTS": "443,8443",
                "PINPOST_CALLBACK_NAME_SERVERS": "192.0.2.53, 192.0.2.54:5353,2001:db8::53,[2001:db8::54]:5353",
            ])
        #expect(settings.egress.allowed == Self.loopback)
        #expect(settings.egress.ports == [443, 8443])
        #expect(
            settings.nameServers == ["192.0.2.53:53", "192.0.2.54:5353", "[2001:db8::53]:53", "[2001:db8::54]:5353"])
    }

    @Test(arguments: [
        ("PINPOST_CALLBACK_ALLOW", "10.0.0.1/8"), ("PINPOST_CALLBACK_ALLOW", "10.0.0.0/8,"),
        ("PINPOST_CALLBACK_ALLOW", "localhost"), ("PINPOST_CALLBACK_ALLOW", "10.0.0.0/8 192.168.0.0/16"),
        ("PINPOST_CALLBACK_PORTS", "0"), ("PINPOST_CALLBACK_PORTS", "65536"), ("PINPOST_CALLBACK_PORTS", "443;80"),
        ("PINPOST_CALLBACK_PORTS", "all"), ("PINPOST_CALLBACK_NAME_SERVERS", "dns.example.com"),
        ("PINPOST_CALLBACK_NAME_SERVERS", "192.0.2.53:0"),
        ("PINPOST_CALLBACK_NAME_SERVERS", "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.5"),
    ])
    func whatIsNoListIsAProblem(name: String, value: String) throws {
        let error = #expect(throws: SettingsError.self) { try self.settings(.worker, [name: value]) }
        #expect(error?.description.contains("\(name): ") == true)
    }
}
