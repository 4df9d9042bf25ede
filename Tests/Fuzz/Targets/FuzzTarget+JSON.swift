import JSON

extension FuzzTarget {
    /// JSON texts: what parses is written as what parses to the same.
    static let json = FuzzTarget(name: "json") { bytes in
        let value: JSON
        do throws(JSONError) {
            value = try JSON(parsing: bytes)
        } catch {
            try Self.check(error, of: bytes)
            return
        }
        let written = value.serialized()
        try promise("what was written parses to the same", (try? JSON(parsing: written)) == value)
        try promise("what was written is written again", (try? JSON(parsing: written))?.serialized() == written)
        try promise("only white space is left out", written.count <= bytes.count * 8 + 32)
        var reader = FieldReader()
        Self.read(value, with: &reader)
        try promise("problems have a limit", reader.problems.count <= FieldReader.problemLimit)
    }

    // MARK: - Private

    private static func check(_ error: JSONError, of bytes: [UInt8]) throws {
        let breaks = bytes.count { $0 == 0x0A }
        try promise("the offset is in the text", (0...bytes.count).contains(error.offset))
        try promise("the line is in the text", (1...breaks + 1).contains(error.line))
        try promise("the column is in the text", (1...bytes.count + 1).contains(error.column))
    }

    /// As requests are read: each member as each type.
    private static func read(_ value: JSON, with reader: inout FieldReader) {
        guard reader.isObject(value, known: ["to", "body"], at: "") else { return }
        for member in value.members ?? [] {
            _ = reader.string(value, member.name, characters: 1...8, required: true, at: "")
            _ = reader.integer(value, member.name, in: 0...9, at: "")
            _ = reader.number(value, member.name, in: 0...9, at: "")
            _ = reader.flag(value, member.name, at: "")
            _ = FieldReader.escaped(member.name)
        }
    }
}
