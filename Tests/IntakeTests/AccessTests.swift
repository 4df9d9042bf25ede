import Crypto
import HTTP
import JSON
import Messaging
import Synchronization
import Telemetry
import TestSystem
import Testing

@testable import Intake
@testable import Store

/// Who may do what, without a request.
@Suite struct AccessTests {
    private static let key = "acme-main-0123456789abcdef"

    private static func credential(
        _ vendor: Vendor, _ name: String, _ secrets: JSON, account: Int32 = 1, sealedFor: String? = nil
    ) -> StoredCredential {
        let context = vendor.sealingContext(of: sealedFor ?? name)
        return StoredCredential(
            id: 7, account: AccountID(rawValue: account), accountName: "account-\(account)", vendor: vendor, name: name,
            secrets: TestSystem.masterKeys.seal(secrets.serialized(), for: context), settings: "{}",
            scopes: ["verify", "fly"])
    }

    private static func access(
        _ credentials: [StoredCredential], keys: [StoredKey] = [], logger: Logger = .silent
    ) -> Access {
        Access(
            Directory(revision: 1, keys: keys, credentials: credentials, providers: [], routes: []),
            masterKeys: TestSystem.masterKeys, logger: logger)
    }

    @Test func aCredentialIsGoodForItsVendorAndName() {
        let access = Self.access([
            Self.credential(.infobip, "acme", ["password": "infobip"]),
            Self.credential(.bandwidth, "acme", ["password": "bandwidth"], account: 2),
            Self.credential(.nexmo, "abcd1234", ["api_secret": "nexmo", "signature_secret": "sign"]),
        ])
        let table: [(Vendor, String, String, Int32?)] = [
            (.infobip, "acme", "infobip", 1), (.bandwidth, "acme", "bandwidth", 2), (.nexmo, "abcd1234", "nexmo", 1),
            (.infobip, "acme", "bandwidth", nil), (.infobip, "acme", "", nil), (.infobip, "acme", "infobip ", nil),
            (.infobip, "Acme", "infobip", nil), (.infobip, "", "", nil), (.bind, "acme", "infobip", nil),
            (.nexmo, "abcd1234", "sign", nil), (.nexmo, "nobody", "nexmo", nil),
        ]
        for (vendor, name, password, account) in table {
            let principal = access.principal(vendor: vendor, name: name, password: password)
            #expect(principal?.account.rawValue == account, "\(vendor) \(name) \(password)")
            #expect(principal.map { $0.scopes == [.verify] } ?? true)
        }
    }

    @Test func whatDoesNotOpenIsLeftOutAndTold() {
        let log = Mutex("")
        let logger = Logger(
            label: "api", write: { line in log.withLock { $0 += String(decoding: line, as: UTF8.self) } })
        let access = Self.access(
            [
                Self.credential(.infobip, "good", ["password": "p"]),
                Self.credential(.infobip, "moved@example.com", ["password": "p"], sealedFor: "good"),
            ], logger: logger)
        #expect(access.principal(vendor: .infobip, name: "good", password: "p") != nil)
        #expect(access.principal(vendor: .infobip, name: "moved@example.com", password: "p") == nil)
        let lines = log.withLock { $0 }
        #expect(lines.split(separator: "\n").count == 1)
        #expect(lines.contains("account=account-1 vendor=infobip credential=7"))
        #expect(!lines.contains("example.com"))
    }

    @Test func theLongestPrefixHasThePriceAndAmongEqualsTheAccountsOwn() throws {
        func stored(_ account: Int32?, _ channel: Channel, _ prefix: String, _ amount: Int64) -> StoredPrice {
            StoredPrice(
                account: account.map(AccountID.init(rawValue:)), channel: channel, prefix: prefix,
                price: Price(amount: Money(rawValue: amount)))
        }
        var directory = Directory(revision: 1, keys: [], credentials: [], providers: [], routes: [])
        directory.prices = [
            stored(nil, .sms, "", 1), stored(nil, .sms, "+41", 2), stored(1, .sms, "+41", 3),
            stored(nil, .sms, "+4179", 4), stored(2, .sms, "", 5), stored(nil, .email, "", 6),
        ]
        let access = Access(directory, masterKeys: TestSystem.masterKeys, logger: .silent)
        let table: [(String, Channel, Int32, Int64?)] = [
            ("+41791234567", .sms, 1, 4), ("+41781234567", .sms, 1, 3), ("+41781234567", .sms, 2, 2),
            ("+12125550100", .sms, 1, 1), ("+12125550100", .sms, 2, 5), ("+41791234567", .voice, 1, nil),
            ("a@example.com", .email, 1, 6),
        ]
        for (to, channel, account, amount) in table {
            let recipient = try #require(Recipient(to, channel: channel))
            let price = access.price(for: recipient, channel: channel, account: AccountID(rawValue: account))
            #expect(price?.amount.rawValue == amount, "\(to) \(channel) \(account)")
        }
    }

    @Test func aKeyIsGoodInAnyForm() {
        let key = StoredKey(
            id: 1, account: AccountID(rawValue: 3), accountName: "acme", digest: APIKey.digest(Self.key),
            scopes: Scope.allCases.map(\.rawValue), expiresAt: nil)
        let access = Self.access([], keys: [key])
        #expect(access.principal(ofKey: Self.key)?.scopes == Set(Scope.allCases))
        for wrong in ["", Self.key + "x", Self.key.uppercased(), " \(Self.key)", "short"] {
            #expect(access.principal(ofKey: wrong) == nil)
        }
    }
}
