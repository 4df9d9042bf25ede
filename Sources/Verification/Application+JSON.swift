public import JSON

/// What the fields of an application are called in somebody's JSON.
public struct ApplicationNames: Sendable {
    public var isEnabled = "enabled"
    /// The object that all below stand in; nil for the application's own.
    public var configuration: String?
    public var attemptLimit: String
    public var allowsReuse: String
    public var timeToLive: String
    public var checkLimit: String
    public var applicationSendLimit: String
    public var recipientSendLimit: String
    /// Nil where the API knows none.
    public var sendLimit: String?
    public var resendCooldown: String?

    /// In our own API and in files for `pinpost apply`.
    public static let own = ApplicationNames(
        configuration: nil, attemptLimit: "attempt_limit", allowsReuse: "allow_reuse", timeToLive: "time_to_live",
        checkLimit: "check_limit", applicationSendLimit: "application_send_limit",
        recipientSendLimit: "recipient_send_limit", sendLimit: "send_limit", resendCooldown: "resend_cooldown")

    /// dialects.md section 2.2.
    public static let infobip = ApplicationNames(
        configuration: "configuration", attemptLimit: "pinAttempts", allowsReuse: "allowMultiplePinVerifications",
        timeToLive: "pinTimeToLive", checkLimit: "verifyPinLimit", applicationSendLimit: "sendPinPerApplicationLimit",
        recipientSendLimit: "sendPinPerPhoneNumberLimit", sendLimit: nil, resendCooldown: nil)

    /// Every field, for refusing others.
    public var all: Set<String> {
        let fields = [
            "name", self.isEnabled, self.configuration, self.attemptLimit, self.allowsReuse, self.timeToLive,
            self.checkLimit, self.applicationSendLimit, self.recipientSendLimit, self.sendLimit, self.resendCooldown,
        ]
        return Set(fields.compactMap { $0 })
    }
}

extension ApplicationSettings {
    /// What our own API makes of an application that says nothing: the vendor's defaults, and a code may be sent five times
    /// with half a minute in between, which the vendor's SDKs would not expect.
    public static func ownDefaults(name: String) -> ApplicationSettings {
        var settings = ApplicationSettings(name: name)
        settings.sendLimit = 5
        settings.resendCooldown = Period("30s")
        return settings
    }

    /// These settings with what `json` says in their place. What it does not name stays.
    ///
    /// A null is absent to a vendor; in our own API it switches off ``sendLimit`` and ``resendCooldown``.
    public func updated(
        from json: JSON, names: ApplicationNames, nameRequired: Bool, at path: String = "", reader: inout FieldReader
    ) -> ApplicationSettings {
        var settings = self
        if let name = reader.string(
            json, "name", characters: Self.nameCharacters, required: nameRequired, at: path)
        {
            settings.name = name
            if name.unicodeScalars.allSatisfy(\.properties.isWhitespace) {
                reader.fail("\(path)/name", "must not be blank")
            }
        }
        settings.isEnabled = reader.flag(json, names.isEnabled, at: path) ?? self.isEnabled
        guard let member = names.configuration else {
            settings.update(from: json, names: names, at: path, reader: &reader)
            return settings
        }
        if let configuration = reader.value(json, member, at: path),
            reader.isObject(configuration, at: "\(path)/\(member)")
        {
            settings.update(from: configuration, names: names, at: "\(path)/\(member)", reader: &reader)
        }
        return settings
    }

    /// All members but the name.
    public func members(names: ApplicationNames) -> [JSON.Member] {
        let enabled = JSON.Member(names.isEnabled, .bool(self.isEnabled))
        guard let member = names.configuration else { return [enabled] + self.limits(names) }
        return [.init(member, .object(self.limits(names))), enabled]
    }

    // MARK: - Private

    private mutating func update(from json: JSON, names: ApplicationNames, at path: String, reader: inout FieldReader) {
        if let limit = reader.integer(json, names.attemptLimit, in: Self.attemptLimits, at: path) {
            self.attemptLimit = Int16(limit)
        }
        self.allowsReuse = reader.flag(json, names.allowsReuse, at: path) ?? self.allowsReuse
        self.timeToLive = reader.period(json, names.timeToLive, at: path) ?? self.timeToLive
        self.checkLimit = reader.rate(json, names.checkLimit, ceiling: Period.day, at: path) ?? self.checkLimit
        self.applicationSendLimit =
            reader.rate(json, names.applicationSendLimit, at: path) ?? self.applicationSendLimit
        self.recipientSendLimit = reader.rate(json, names.recipientSendLimit, at: path) ?? self.recipientSendLimit
        if let name = names.sendLimit {
            if json[name]?.isNull == true { self.sendLimit = nil }
            if let limit = reader.integer(json, name, in: Self.sendLimits, at: path) { self.sendLimit = Int16(limit) }
        }
        if let name = names.resendCooldown {
            if json[name]?.isNull == true { self.resendCooldown = nil }
            self.resendCooldown = reader.period(json, name, ceiling: Period.day, at: path) ?? self.resendCooldown
        }
    }

    private func limits(_ names: ApplicationNames) -> [JSON.Member] {
        var members: [JSON.Member] = [
            .init(names.attemptLimit, .integer(Int64(self.attemptLimit))),
            .init(names.allowsReuse, .bool(self.allowsReuse)),
            .init(names.timeToLive, .string(self.timeToLive.text)),
            .init(names.checkLimit, .string(self.checkLimit.text)),
            .init(names.applicationSendLimit, .string(self.applicationSendLimit.text)),
            .init(names.recipientSendLimit, .string(self.recipientSendLimit.text)),
        ]
        if let name = names.sendLimit {
            members.append(.init(name, self.sendLimit.map { .integer(Int64($0)) } ?? .null))
        }
        if let name = names.resendCooldown { members.append(.init(name, .init(self.resendCooldown?.text))) }
        return members
    }
}

extension FieldReader {
    fileprivate mutating func period(
        _ json: JSON, _ name: String, ceiling: Duration = Period.year, at path: String
    ) -> Period? {
        self.parsed(
            json, name, expected: "a time such as 15m: a number and ms, s, m, h or d, up to \(Self.words(ceiling))",
            at: path
        ) { Period($0, ceiling: ceiling) }
    }

    fileprivate mutating func rate(
        _ json: JSON, _ name: String, ceiling: Duration = Period.year, at path: String
    ) -> RateLimit? {
        self.parsed(
            json, name,
            expected:
                "a limit such as 3/1d: a number, a slash and a time in ms, s, m, h or d up to \(Self.words(ceiling))",
            at: path
        ) { RateLimit($0, ceiling: ceiling) }
    }

    private static func words(_ ceiling: Duration) -> String { ceiling == Period.day ? "a day" : "a year" }
}
