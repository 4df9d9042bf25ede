import Callbacks
public import Egress
public import JSON
public import Messaging
public import Store

/// What somebody says of an endpoint, in our own API and in files for `pinpost apply`; nil where they say nothing.
public struct EndpointFields: Sendable {
    public var url: CallbackURL?
    public var description: String?
    /// Empty for all.
    public var types: [String]?
    public var inFlightLimit: Int16?
    public var isEnabled: Bool?

    /// Every field, for refusing others.
    public static let names: Set = ["url", "description", "types", "in_flight", "enabled"]

    /// Characters of a description.
    public static let descriptionCharacters = 0...255
    /// Requests at once, from each worker.
    public static let inFlightLimits: ClosedRange<Int64> = 1...100

    public init(
        _ json: JSON, kind: EndpointKind, urlRequired: Bool, policy: EgressPolicy, at path: String = "",
        reader: inout FieldReader
    ) {
        self.url = Self.url(json, required: urlRequired, policy: policy, at: path, &reader)
        self.description = reader.string(json, "description", characters: Self.descriptionCharacters, at: path)
        self.types = Self.types(json, of: kind, at: path, &reader)
        self.inFlightLimit = reader.integer(json, "in_flight", in: Self.inFlightLimits, at: path).map { Int16($0) }
        self.isEnabled = reader.flag(json, "enabled", at: path)
    }

    // MARK: - Private

    private static func url(
        _ json: JSON, required: Bool, policy: EgressPolicy, at path: String, _ reader: inout FieldReader
    ) -> CallbackURL? {
        guard let text = reader.string(json, "url", required: required, at: path) else { return nil }
        do throws(CallbackURLProblem) {
            return try CallbackURL(text, policy: policy)
        } catch {
            reader.fail("\(path)/url", error.description)
            return nil
        }
    }

    private static func types(
        _ json: JSON, of kind: EndpointKind, at path: String, _ reader: inout FieldReader
    ) -> [String]? {
        guard let value = reader.value(json, "types", at: path) else { return nil }
        guard let elements = value.array else {
            reader.fail("\(path)/types", "must be an array, not \(value.kind)")
            return nil
        }
        let known = Callbacks.types(of: kind)
        for (index, element) in elements.enumerated()
        where !(element.string.flatMap { EventType(rawValue: $0) }.map(known.contains) ?? false) {
            let names = EventType.allCases.filter(known.contains).map(\.rawValue).joined(separator: ", ")
            reader.fail("\(path)/types/\(index)", "must be one of \(names)")
        }
        return Set(elements.compactMap(\.string)).sorted()
    }
}

extension EndpointSettings {
    /// A new one that is told of everything that its kind has words for.
    public init(_ kind: EndpointKind) {
        self.init(kind: kind, url: "")
        self.types = Self.allTypes(of: kind)
    }

    /// Makes it what is said; what nothing is said of stays.
    public mutating func change(by fields: EndpointFields) {
        self.url = fields.url?.text ?? self.url
        self.description = fields.description ?? self.description
        if let types = fields.types { self.types = types.isEmpty ? Self.allTypes(of: self.kind) : types }
        self.inFlightLimit = fields.inFlightLimit ?? self.inFlightLimit
        self.isEnabled = fields.isEnabled ?? self.isEnabled
    }

    /// A vendor's are named, or events would be entered only to find that there are no words for them.
    private static func allTypes(of kind: EndpointKind) -> [String] {
        kind == .standard ? [] : Callbacks.types(of: kind).map(\.rawValue).sorted()
    }
}
