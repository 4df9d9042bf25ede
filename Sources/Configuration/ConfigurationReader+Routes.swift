import JSON
import Messaging
import PhoneNumbers
import Routing

// Which messages go by which providers.
extension ConfigurationReader {
    static let routeFields: Set = [
        "account", "channel", "prefix", "country", "sender", "priority", "provider", "providers", "policy",
        "silence_limit", "remove",
    ]

    mutating func route(_ json: JSON, at path: String) -> ConfigurationFile.Route {
        let isRemoved = self.fields.flag(json, "remove", at: path) ?? false
        let isWeighted = self.isWeighted(json, at: path)
        return .init(
            place: self.routePlace(json, at: path), isWeighted: isWeighted,
            silenceLimit: self.fields.integer(json, "silence_limit", in: Self.silenceSeconds, at: path)
                .map { .seconds($0) },
            targets: self.targets(json, isWeighted: isWeighted, isRemoved: isRemoved, at: path), isRemoved: isRemoved)
    }

    // MARK: - Private

    private static let silenceSeconds: ClosedRange<Int64> = 5...3600
    /// Characters: a mail's sender is an address and the name before it.
    private static let senderCharacters = 1...320

    private mutating func routePlace(_ json: JSON, at path: String) -> ConfigurationFile.RoutePlace {
        let (channel, prefix) = self.place(json, what: "a route", at: path)
        let priorities = Priority.allCases.map(\.name).joined(separator: ", ")
        return .init(
            account: self.fields.string(json, "account", at: path), channel: channel, prefix: prefix,
            country: self.country(json, on: channel, prefix: prefix, at: path),
            sender: self.fields.string(json, "sender", characters: Self.senderCharacters, at: path),
            priority: self.fields.parsed(
                json, "priority", expected: "one of \(priorities)", at: path, Priority.init(name:)))
    }

    /// One that there is: a route to a country that nobody is in would never be found.
    private mutating func country(
        _ json: JSON, on channel: Channel, prefix: String, at path: String
    ) -> String? {
        let country = self.fields.parsed(
            json, "country", expected: "a country in ISO 3166's two capital letters, as in CH", at: path
        ) { $0.utf8.count == 2 && PhoneNumberFacts.countryCode(ofRegion: $0) != nil ? $0 : nil }
        guard country != nil else { return nil }
        if channel == .email {
            self.fields.fail("\(path)/country", "is for numbers; a route for email has none")
        } else if !prefix.isEmpty {
            self.fields.fail("\(path)/country", "stands beside a prefix; a route has one of them")
        }
        return country
    }

    private mutating func isWeighted(_ json: JSON, at path: String) -> Bool {
        self.fields.parsed(json, "policy", expected: "ordered or weighted", at: path) { text in
            ["ordered": false, "weighted": true][text]
        } ?? false
    }

    /// `provider` names one, `providers` one or more.
    private mutating func targets(
        _ json: JSON, isWeighted: Bool, isRemoved: Bool, at path: String
    ) -> [ConfigurationFile.RouteTarget] {
        guard let value = self.fields.value(json, "providers", at: path) else {
            let name = self.fields.string(json, "provider", required: !isRemoved, at: path)
            return name.map { [self.target($0, at: "\(path)/provider")] } ?? []
        }
        if self.fields.value(json, "provider", at: path) != nil {
            self.fields.fail("\(path)/provider", "stands beside providers; give one of them")
        }
        guard let entries = value.array, (1...Route.targetLimit).contains(entries.count) else {
            self.fields.fail("\(path)/providers", "must be an array of 1 to \(Route.targetLimit) providers")
            return []
        }
        let targets = entries.enumerated().compactMap { index, entry in
            self.target(entry, isWeighted: isWeighted, at: "\(path)/providers/\(index)")
        }
        self.refuseDoubled(targets)
        return targets
    }

    private func target(_ name: String, at path: String) -> ConfigurationFile.RouteTarget {
        let weight = RouteTarget.defaultWeight
        return .init(provider: name, weight: weight, bounds: weight...weight, path: path)
    }

    private mutating func target(
        _ json: JSON, isWeighted: Bool, at path: String
    ) -> ConfigurationFile.RouteTarget? {
        if let name = json.string { return self.target(name, at: path) }
        guard json.members != nil else {
            self.fields.fail(path, "must be a provider's name, or an object with it and a weight")
            return nil
        }
        guard self.fields.isObject(json, known: ["name", "weight", "min_weight", "max_weight"], at: path) else {
            return nil
        }
        if !isWeighted { self.refuseWeights(json, at: path) }
        let (weight, bounds) = self.weight(json, at: path)
        return self.fields.string(json, "name", required: true, at: path).map {
            .init(provider: $0, weight: weight, bounds: bounds, path: "\(path)/name")
        }
    }

    /// Without bounds a weight stays where it is.
    private mutating func weight(_ json: JSON, at path: String) -> (weight: Int32, bounds: ClosedRange<Int32>) {
        let (least, most) = (RouteTarget.weights.lowerBound, RouteTarget.weights.upperBound)
        let weight = self.number(
            json, "weight", in: Int64(least)...Int64(most), default: RouteTarget.defaultWeight, at: path)
        let low = self.number(json, "min_weight", in: Int64(least)...Int64(weight), default: weight, at: path)
        let high = self.number(json, "max_weight", in: Int64(weight)...Int64(most), default: weight, at: path)
        return (weight, low...high)
    }

    /// What would have no effect is a mistake.
    private mutating func refuseWeights(_ json: JSON, at path: String) {
        for name in ["weight", "min_weight", "max_weight"] where json[name]?.isNull == false {
            self.fields.fail("\(path)/\(name)", "is for the policy weighted")
        }
    }

    private mutating func refuseDoubled(_ targets: [ConfigurationFile.RouteTarget]) {
        var seen: Set<String> = []
        for target in targets where !seen.insert(target.provider).inserted {
            self.fields.fail(target.path, "stands twice")
        }
    }
}
