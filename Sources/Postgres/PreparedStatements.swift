/// The statements that one connection has prepared on its server.
///
/// The texts are literals of ours, with days in some of them, so a connection meets few at a time and others as the days pass: at
/// the limit all are forgotten, and those that are still used are prepared again.
struct PreparedStatements {
    /// Twice what a process has use for on a day: what has lapsed keeps its memory, here and on the server, until it is forgotten.
    static let limit = 64

    /// The same text with values of other types, or planned in another way, is another statement.
    private struct Form: Hashable {
        var text: [UInt8]
        var types: [UInt32]
        var planning: Planning

        /// Of the text as one piece: ten thousand bytes one by one take longer than many a statement.
        func hash(into hasher: inout Hasher) {
            self.text.withUnsafeBytes { hasher.combine(bytes: $0) }
            hasher.combine(self.types)
            hasher.combine(self.planning)
        }
    }

    private var names: [Form: String] = [:]

    enum Plan: Hashable {
        case prepared(String)
        /// Under this name, and then ``didPrepare(_:as:)``. Before that all others are to be forgotten, if `isFull`.
        case prepare(String, isFull: Bool)
    }

    func plan(for statement: SQL) -> Plan {
        if let name = self.names[Self.form(of: statement)] { return .prepared(name) }
        let isFull = self.names.count >= Self.limit
        return .prepare("s\(isFull ? 0 : self.names.count)", isFull: isFull)
    }

    mutating func didPrepare(_ statement: SQL, as name: String) {
        self.names[Self.form(of: statement)] = name
    }

    mutating func forgetAll() { self.names = [:] }

    private static func form(of statement: SQL) -> Form {
        Form(text: statement.text, types: statement.parameters.types, planning: statement.planning)
    }
}
