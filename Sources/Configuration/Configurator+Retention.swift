import JSON
import Postgres
import Store

extension ConfigurationReader {
    private static let retentionFields: Set = ["messages", "events", "verifications"]
    /// What stands for a number of days and means none.
    private static let keepWord = "keep"

    /// For how long what is over is kept; nil when the file does not say.
    mutating func retention(_ json: JSON) -> ConfigurationFile.KeptFor? {
        let path = "/retention"
        guard let value = self.fields.value(json, "retention", at: ""),
            self.fields.isObject(value, known: Self.retentionFields, at: path)
        else { return nil }
        return .init(
            messages: self.period(value, "messages", at: path), events: self.period(value, "events", at: path),
            verifications: self.period(value, "verifications", at: path))
    }

    private mutating func period(_ json: JSON, _ name: String, at path: String) -> ConfigurationFile.KeptFor.Period? {
        if json[name]?.string == Self.keepWord { return .forEver }
        if json[name]?.string != nil {
            self.fields.fail("\(path)/\(name)", "must be a number of days, or \"\(Self.keepWord)\"")
            return nil
        }
        return self.fields.integer(json, name, in: Retention.range, at: path).map { .days(Int32($0)) }
    }
}

extension Configurator {
    func apply(
        _ kept: ConfigurationFile.KeptFor, in transaction: borrowing Transaction, _ progress: inout Progress
    ) async throws {
        let stored = try await Store.retention(in: transaction)
        let new = Retention(
            messages: Self.days(kept.messages, or: stored.messages), events: Self.days(kept.events, or: stored.events),
            verifications: Self.days(kept.verifications, or: stored.verifications))
        guard try await Store.putRetention(new, in: transaction) else { return }
        progress.changed(
            "retention: messages \(Self.words(new.messages)), events \(Self.words(new.events)), "
                + "verifications \(Self.words(new.verifications))")
    }

    private static func days(_ period: ConfigurationFile.KeptFor.Period?, or stored: Int32?) -> Int32? {
        switch period {
        case .none: stored
        case .days(let days): days
        case .forEver: nil
        }
    }

    private static func words(_ days: Int32?) -> String { days.map { "\($0) days" } ?? "for ever" }
}
