public import Crypto
import Messaging
import Postgres
public import Store

/// Takes an old master key out of use: seals anew what stays, and counts what only time does away with.
public struct Rotation: Sendable {
    private let store: Store
    private let masterKeys: MasterKeys

    /// How long counting the verifications, and the waiting messages, that need each key may take.
    public static let countLimit = Duration.seconds(300)

    public init(store: Store, masterKeys: MasterKeys) {
        self.store = store
        self.masterKeys = masterKeys
    }

    /// Seals the credentials of providers and of vendors' customers with the first key, in one transaction; then counts what
    /// still needs each key.
    public func run() async throws -> Report {
        var report = try await self.store.configure { transaction in try await self.sealAnew(in: transaction) }
        let secrets = try await self.store.secretsByKey()
        let lanes = (UInt8.min...UInt8.max).map(Lane.init(rawValue:))
        report.uses = Self.merge(
            secrets,
            verifications: try await self.count { () async throws(PostgresError) in
                try await self.store.verificationsByKey(lanes: lanes, timeout: Self.countLimit)
            },
            messages: try await self.count { () async throws(PostgresError) in
                try await self.store.waitingBodiesByKey(lanes: lanes, timeout: Self.countLimit)
            })
        return report
    }

    // MARK: - Private

    private func sealAnew(in transaction: borrowing Transaction) async throws -> Report {
        var report = Report(ring: self.masterKeys.ids)
        for secrets in try await Store.sealedSecrets(in: transaction)
        where !self.masterKeys.isSealedWithFirst(secrets.sealed) {
            let context = Self.context(of: secrets.owner)
            guard let plain = try? self.masterKeys.open(secrets.sealed, for: context) else {
                report.unopened.append(secrets.owner)
                continue
            }
            let renewed = SealedSecrets(owner: secrets.owner, sealed: self.masterKeys.seal(plain, for: context))
            try await Store.putSealed(renewed, in: transaction)
            report.sealedAnew.append(secrets.owner)
        }
        return report
    }

    private static func context(of owner: SealedSecrets.Owner) -> String {
        switch owner {
        case .provider(let name): ProviderSecrets.context(of: name)
        case .credential(let vendor, let name): vendor.sealingContext(of: name)
        case .endpoint(_, let kind, let account, let publicID):
            kind.sealingContext(account: account, publicID: publicID)
        case .lookUp: Configurator.lookUpContext
        }
    }

    /// Nil when it took too long.
    private func count(
        _ body: () async throws(PostgresError) -> [Int16: Int]
    ) async throws(PostgresError) -> [Int16: Int]? {
        do throws(PostgresError) {
            return try await body()
        } catch {
            guard error == .timedOut || error.sqlState == .queryCanceled else { throw error }
            return nil
        }
    }

    /// Nil when something could not be counted.
    static func merge(
        _ secrets: [Int16: KeyUse], verifications: [Int16: Int]?, messages: [Int16: Int]?
    ) -> [Int16: KeyUse]? {
        guard let verifications, let messages else { return nil }
        var uses = secrets
        for (key, count) in verifications { uses[key, default: KeyUse()].verifications = count }
        for (key, count) in messages { uses[key, default: KeyUse()].messages = count }
        return uses
    }
}

extension Rotation {
    /// What was done, and what is left to wait for.
    public struct Report: Sendable {
        /// The ids of the ring; the first seals.
        public var ring: [UInt8]
        public var sealedAnew: [SealedSecrets.Owner] = []
        /// Sealed with a key that is not in the ring, or with another of the same id.
        public var unopened: [SealedSecrets.Owner] = []
        /// What needs each key; nil when it took too long to count.
        public var uses: [Int16: KeyUse]? = [:]

        init(ring: [UInt8]) { self.ring = ring }

        /// The keys of the ring that nothing needs any more.
        public var needless: [UInt8] {
            guard let uses else { return [] }
            return self.ring.dropFirst().filter { (uses[Int16($0)] ?? KeyUse()) == KeyUse() }
        }

        /// For people. The last line says which keys may be taken away now.
        public var lines: [String] {
            self.sealedAnew.map { "\(Self.words($0)): sealed anew" }
                + self.unopened.map { "\(Self.words($0)): does not open with these keys; apply its file again" }
                + self.useLines + [self.verdict]
        }

        private var useLines: [String] {
            guard let uses else { return ["What needs the keys could not be counted in \(Rotation.countLimit)."] }
            let strange = uses.keys.filter { !self.ring.map(Int16.init).contains($0) }.sorted()
            return self.ring.map { id in
                let seals = id == self.ring.first ? " (seals)" : ""
                return "key \(id)\(seals): \(Self.words(uses[Int16(id)] ?? KeyUse()))"
            } + strange.map { "key \($0) (not in the ring): \(Self.words(uses[$0] ?? KeyUse()))" }
        }

        private var verdict: String {
            let keys = self.needless.map(String.init)
            let isOne = keys.count == 1
            return keys.isEmpty
                ? "No key may be taken away now."
                : "Key\(isOne ? "" : "s") \(keys.joined(separator: ", ")) may be taken away now, if every process "
                    + "was restarted with key \(self.ring[0]) in front."
        }

        private static func words(_ owner: SealedSecrets.Owner) -> String {
            switch owner {
            case .provider(let name): "provider \(name)"
            case .credential(let vendor, let name): "\(vendor.rawValue) credential \(name)"
            case .endpoint(_, _, _, let publicID): "webhook \(publicID)"
            case .lookUp: "number look-up"
            }
        }

        private static func words(_ use: KeyUse) -> String {
            """
            \(use.providers) providers, \(use.credentials) credentials, \(use.endpoints) webhooks, \
            \(use.verifications) verifications, \
            \(use.messages) waiting messages
            """
        }
    }
}
