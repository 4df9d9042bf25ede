import Channels
public import Crypto
public import Egress
import JSON
import Messaging
import Postgres
import Routing
public import Store

/// Makes accounts and what is theirs, providers, routes and prices what a file says.
public struct Configurator: Sendable {
    private let store: Store
    let masterKeys: MasterKeys

    public init(store: Store, masterKeys: MasterKeys) {
        self.store = store
        self.masterKeys = masterKeys
    }

    /// What applying a file did.
    public struct Report: Sendable {
        /// A line for each thing that was made or changed; empty when all was so already.
        public var changes: [String] = []
        /// Keys that were made here. They are stored as digests only, so this is the one time to show them.
        public var madeKeys: [(account: String, name: String, key: Secret)] = []
        /// What was made here for webhooks to be verified with. They are stored sealed, and shown nowhere else.
        public var madeSecrets: [(account: String, webhook: String, secret: Secret)] = []
    }

    /// Reads a file's text. Throws ``ConfigurationProblems`` with every problem that can be found without the database.
    /// Variables named by the file are looked up in `environment`; webhooks must be where `egress` lets us call.
    public static func read(
        _ text: [UInt8], environment: [String: String], egress: EgressPolicy = EgressPolicy()
    ) throws(ConfigurationProblems) -> ConfigurationFile {
        var reader = ConfigurationReader(environment: environment, egress: egress)
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: text)
        } catch {
            throw ConfigurationProblems(problems: [JSONProblem("", "is not JSON: \(error)")])
        }
        let file = reader.read(json)
        guard reader.problems.isEmpty else { throw ConfigurationProblems(problems: reader.problems) }
        return file
    }

    /// Applies a file in one transaction: wholly, or, when it throws, not at all. Applying it again changes nothing.
    public func apply(_ file: ConfigurationFile) async throws -> Report {
        try await self.store.configure { transaction in
            var progress = Progress()
            for (index, account) in file.accounts.enumerated() {
                try await self.apply(account, at: "/accounts/\(index)", in: transaction, &progress)
            }
            for provider in file.providers { try await self.apply(provider, in: transaction, &progress) }
            for (index, route) in file.routes.enumerated() {
                try await self.apply(route, at: "/routes/\(index)", in: transaction, &progress)
            }
            for (index, price) in file.prices.enumerated() {
                try await self.apply(price, at: "/prices/\(index)", in: transaction, &progress)
            }
            if let lookUp = file.lookUp { try await self.apply(lookUp, in: transaction, &progress) }
            if let retention = file.retention { try await self.apply(retention, in: transaction, &progress) }
            try await self.apply(progress.topUps, in: transaction, &progress)
            guard progress.problems.isEmpty else { throw ConfigurationProblems(problems: progress.problems) }
            return progress.report
        }
    }

    /// What a file has done so far, and what is wrong with it that only the database could tell.
    struct Progress {
        var report = Report()
        var problems: [JSONProblem] = []
        /// What is still to be paid in.
        var topUps: [TopUp] = []

        struct TopUp {
            var owner: Owner
            var id: String
            var amount: Money
            var path: String
        }

        mutating func changed(_ line: String) { self.report.changes.append(line) }
        mutating func fail(_ path: String, _ problem: String) { self.problems.append(JSONProblem(path, problem)) }
    }

    // MARK: - Private

    private func apply(
        _ account: ConfigurationFile.Account, at path: String, in transaction: borrowing Transaction,
        _ progress: inout Progress
    ) async throws {
        let (id, isNew) = try await Store.putAccount(account.name, in: transaction)
        if isNew { progress.changed("account \(account.name): made") }
        let owner = Owner(id: id, name: account.name)
        if let currency = account.currency, try await Store.putCurrency(currency, of: id, in: transaction) {
            progress.changed("account \(account.name): currency set")
        }
        progress.topUps += account.topUps.enumerated().map { index, topUp in
            .init(owner: owner, id: topUp.id, amount: topUp.amount, path: "\(path)/top_ups/\(index)")
        }
        try await self.applyGuard(account, of: owner, isNew: isNew, in: transaction, &progress)
        let digests = try await Store.keyDigests(of: id, in: transaction)
        for (index, key) in account.keys.enumerated() {
            try await self.apply(
                key, digest: digests[key.name], of: owner, at: "\(path)/keys/\(index)", in: transaction, &progress)
        }
        for (index, credential) in account.credentials.enumerated() {
            try await self.apply(
                credential, of: owner, at: "\(path)/credentials/\(index)", in: transaction, &progress)
        }
        for (index, webhook) in account.webhooks.enumerated() {
            try await self.apply(webhook, of: owner, at: "\(path)/webhooks/\(index)", in: transaction, &progress)
        }
        for content in account.emailContents {
            try await self.apply(content, of: owner, in: transaction, &progress)
        }
        for (index, application) in account.applications.enumerated() {
            try await self.apply(
                application, of: owner, at: "\(path)/applications/\(index)", in: transaction, &progress)
        }
    }

    /// The account that a part of a file stands in.
    struct Owner {
        var id: AccountID
        var name: String
    }

    private func apply(
        _ key: ConfigurationFile.Key, digest stored: [UInt8]?, of owner: Owner, at path: String,
        in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        var digest = key.secret.map { APIKey.digest($0.text) } ?? stored
        if digest == nil {
            let made = APIKey.make()
            digest = APIKey.digest(made.text)
            progress.report.madeKeys.append((owner.name, key.name, made))
        }
        let new = NewKey(
            name: key.name, digest: digest ?? [], scopes: key.scopes, expiresAt: key.expiresAt, revoked: key.isRevoked)
        let change = try await self.put(new, of: owner.id, at: path, in: transaction)
        if let words = Self.words(for: change, asked: key.isRevoked) {
            progress.changed("account \(owner.name), key \(key.name): \(words)")
        }
    }

    /// A key that somebody revoked is not brought back by a change of something else about it, which is worth saying.
    static func words(for change: Store.KeyChange, asked isRevoked: Bool?) -> String? {
        switch change {
        case .none: nil
        case .alive: "set"
        case .revoked: isRevoked == true ? "revoked" : "set, but revoked as before"
        }
    }

    private func put(
        _ key: NewKey, of account: AccountID, at path: String, in transaction: borrowing Transaction
    ) async throws -> Store.KeyChange {
        do throws(PostgresError) {
            return try await Store.putKey(key, of: account, in: transaction)
        } catch {
            guard case .server(_, _, constraint: "api_keys_digest_key") = error else { throw error }
            let problem = "is in use already, by another account or under another name"
            throw ConfigurationProblems(problems: [JSONProblem("\(path)/key", problem)])
        }
    }

    private func apply(
        _ provider: ConfigurationFile.Provider, in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        let sealing = self.sealing(
            provider.credentials, for: ProviderSecrets.context(of: provider.name),
            over: try await Store.sealedCredentials(of: provider.name, in: transaction))
        let stored = NewProvider(
            name: provider.name, kind: provider.kind, url: provider.url, credentials: sealing.kept,
            sender: provider.sender, settings: JSON(provider.settings).text, inFlightLimit: provider.inFlight,
            rateLimit: provider.perSecond, rateUnit: provider.rateUnit, timeout: provider.timeout,
            slowAfter: provider.slowAfter, receiptWindow: provider.receiptWindow, codes: provider.codes,
            enabled: provider.isEnabled)
        if try await Store.putProvider(stored, in: transaction).changed {
            progress.changed("provider \(provider.name): set")
        }
        guard let renewed = sealing.renewed else { return }
        try await Store.putSealed(
            SealedSecrets(owner: .provider(provider.name), sealed: renewed), in: transaction)
        progress.changed("provider \(provider.name): sealed anew")
    }

    /// Sealing the same twice gives different bytes, so what is stored is kept when it says the same. If another key than
    /// the first of the ring sealed it, `renewed` is what takes its place.
    func sealing(
        _ secrets: [String: Secret], for context: String, over stored: [UInt8]?
    ) -> (kept: [UInt8], renewed: [UInt8]?) {
        self.sealing(JSON(secrets.mapValues(\.text)), for: context, over: stored)
    }

    func sealing(
        _ secrets: JSON, for context: String, over stored: [UInt8]?
    ) -> (kept: [UInt8], renewed: [UInt8]?) {
        let plain = secrets.serialized()
        guard let stored, let opened = try? self.masterKeys.open(stored, for: context),
            equalInConstantTime(opened, plain)
        else { return (self.masterKeys.seal(plain, for: context), nil) }
        let isRenewed = !self.masterKeys.isSealedWithFirst(stored)
        return (stored, isRenewed ? self.masterKeys.seal(plain, for: context) : nil)
    }
}

extension JSON {
    /// An object whose members stand in the order of the alphabet, so that equal dictionaries are equal texts.
    init(_ texts: [String: String]) {
        self = .object(texts.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }
}
