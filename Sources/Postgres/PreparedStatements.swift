/// The statements that one connection has prepared on its server.
///
/// The texts are literals of ours, so there are few of them; beyond the limit a statement goes unprepared.
struct PreparedStatements {
    static let limit = 200

    /// The same text with values of other types, or planned in another way, is another statement.
    private struct Form: Hashable {
        var text: [UInt8]
        var types: [UInt32]
        var planning: Planning
    }

    private var names: [Form: String] = [:]

    enum Plan: Hashable {
        case prepared(String)
        /// Under this name, and then ``didPrepare(_:as:)``.
        case prepare(String)
        case unprepared

        var name: String? {
            switch self {
            case .prepared(let name), .prepare(let name): name
            case .unprepared: nil
            }
        }
    }

    func plan(for statement: SQL) -> Plan {
        if let name = self.names[Self.form(of: statement)] { return .prepared(name) }
        return self.names.count < Self.limit ? .prepare("s\(self.names.count)") : .unprepared
    }

    mutating func didPrepare(_ statement: SQL, as name: String) {
        self.names[Self.form(of: statement)] = name
    }

    private static func form(of statement: SQL) -> Form {
        Form(text: statement.text, types: statement.parameters.types, planning: statement.planning)
    }
}
