public import JSON
import Messaging
import PhoneNumbers

extension GuardPolicy {
    /// The members of an account that say what its guard does.
    public static let countriesField = "countries"
    public static let guardField = "guard"

    /// Reads the members `countries` and `guard` of an account; what they do not name is as usual.
    public init(_ json: JSON, at path: String = "", reader: inout FieldReader) {
        self.init()
        self.countries = Self.countries(json, at: path, &reader)
        guard let own = reader.value(json, Self.guardField, at: path) else { return }
        let path = "\(path)/\(Self.guardField)"
        guard reader.isObject(own, known: Self.fields, at: path) else { return }
        self.mode =
            reader.parsed(own, "mode", expected: "enforce or watch", at: path, Mode.init(rawValue:)) ?? .enforce
        self.refusedTypes = Self.types(own, at: path, &reader) ?? Self.standardTypes
        self.number = Self.limit(own, "number", self.number, at: path, &reader)
        self.block = Self.limit(own, "block", self.block, at: path, &reader)
        self.address = Self.limit(own, "address", self.address, at: path, &reader)
        self.device = Self.limit(own, "device", self.device, at: path, &reader)
        self.guesses = Self.limit(own, "guesses", self.guesses, at: path, &reader)
        self.ahead = reader.integer(own, "ahead", in: Self.counts, at: path) ?? self.ahead
        self.aheadGuarded = reader.integer(own, "ahead_guarded", in: Self.counts, at: path) ?? self.aheadGuarded
        self.countryPerHour = reader.integer(own, "country_per_hour", in: Self.counts, at: path)
        self.accountPerDay = reader.integer(own, "per_day", in: Self.counts, at: path)
        self.spend = Self.spend(own, at: path, &reader)
        self.spendInAll =
            reader.value(own, "spend_in_all", at: path).flatMap {
                Self.cap($0, "\(path)/spend_in_all", &reader)
            } ?? SpendCap()
        self.safe = Self.safe(own, at: path, &reader)
    }

    // MARK: - Private

    private static let fields: Set = [
        "mode", "refused_types", "number", "block", "address", "device", "guesses", "ahead", "ahead_guarded",
        "country_per_hour", "per_day", "spend", "spend_in_all", "safe",
    ]
    private static let counts: ClosedRange<Int64> = 1...1_000_000_000
    /// Of the safe list.
    private static let safeLimit = 1000

    /// ISO 3166's two letters, numbers of no country, all others, or what numbers begin with.
    public static func isCountry(_ text: String) -> Bool {
        let isRegion =
            text.utf8.count == 2 && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        return isRegion || text == Self.noCountry || text == "*" || (!text.isEmpty && PhoneNumber.isPrefix(text))
    }

    private static func countries(
        _ json: JSON, at path: String, _ reader: inout FieldReader
    ) -> [String: CountryRule] {
        Self.byCountry(json, Self.countriesField, at: path, &reader) { rule, path, reader in
            let read = rule.string.flatMap(CountryRule.init)
            if read == nil { reader.fail(path, "must be off, on or guarded") }
            return read
        }
    }

    private static func spend(_ json: JSON, at path: String, _ reader: inout FieldReader) -> [String: SpendCap] {
        Self.byCountry(json, "spend", at: path, &reader, Self.cap)
    }

    private static func cap(_ cap: JSON, _ path: String, _ reader: inout FieldReader) -> SpendCap? {
        guard reader.isObject(cap, known: ["soft", "hard", "voice_soft", "voice_hard"], at: path) else { return nil }
        return SpendCap(
            soft: Self.money(cap, "soft", at: path, &reader), hard: Self.money(cap, "hard", at: path, &reader),
            voiceSoft: Self.money(cap, "voice_soft", at: path, &reader),
            voiceHard: Self.money(cap, "voice_hard", at: path, &reader))
    }

    private static func byCountry<Value>(
        _ json: JSON, _ name: String, at path: String, _ reader: inout FieldReader,
        _ read: (JSON, String, inout FieldReader) -> Value?
    ) -> [String: Value] {
        guard let value = reader.value(json, name, at: path) else { return [:] }
        let path = "\(path)/\(name)"
        guard reader.isObject(value, at: path) else { return [:] }
        var values: [String: Value] = [:]
        for member in value.members ?? [] {
            let place = "\(path)/\(FieldReader.escaped(member.name))"
            guard Self.isCountry(member.name) else {
                reader.fail(place, "is no country: two capital letters, 001, *, or a plus sign and digits")
                continue
            }
            values[member.name] = read(member.value, place, &reader)
        }
        return values
    }

    private static func money(_ json: JSON, _ name: String, at path: String, _ reader: inout FieldReader) -> Money? {
        reader.parsed(json, name, expected: #"an amount that is not negative, as a text: "50.00""#, at: path) {
            Money($0).flatMap { $0 < .zero ? nil : $0 }
        }
    }

    private static func limit(
        _ json: JSON, _ name: String, _ standard: Limit, at path: String, _ reader: inout FieldReader
    ) -> Limit {
        guard let value = reader.value(json, name, at: path) else { return standard }
        let path = "\(path)/\(name)"
        guard reader.isObject(value, known: ["per_10_minutes", "per_day"], at: path) else { return standard }
        return Limit(
            short: reader.integer(value, "per_10_minutes", in: Self.counts, at: path) ?? standard.short,
            day: reader.integer(value, "per_day", in: Self.counts, at: path) ?? standard.day)
    }

    private static func types(
        _ json: JSON, at path: String, _ reader: inout FieldReader
    ) -> Set<PhoneNumberType>? {
        guard let value = reader.value(json, "refused_types", at: path) else { return nil }
        let types = value.array?.compactMap { $0.string.flatMap(Self.type) } ?? []
        guard types.count == value.array?.count else {
            let known = Self.typeNames.keys.sorted().joined(separator: ", ")
            reader.fail("\(path)/refused_types", "must be an array of \(known)")
            return nil
        }
        return Set(types)
    }

    /// In the manner of files, with underscores.
    private static let typeNames: [String: PhoneNumberType] = [
        "fixed_line": .fixedLine, "toll_free": .tollFree, "premium_rate": .premiumRate, "shared_cost": .sharedCost,
        "voip": .voip, "personal": .personal, "pager": .pager, "uan": .uan, "voicemail": .voicemail,
    ]

    private static func type(_ name: String) -> PhoneNumberType? { Self.typeNames[name] }

    private static func safe(_ json: JSON, at path: String, _ reader: inout FieldReader) -> [String] {
        guard let value = reader.value(json, "safe", at: path) else { return [] }
        let safe = value.array?.compactMap(\.string).filter { !$0.isEmpty && PhoneNumber.isPrefix($0) } ?? []
        guard safe.count == value.array?.count, safe.count <= Self.safeLimit else {
            reader.fail(
                "\(path)/safe",
                "must be an array of at most \(Self.safeLimit) numbers, or what they begin with: \"+41791\"")
            return []
        }
        return safe
    }
}
