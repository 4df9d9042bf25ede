import Testing

@testable import Postgres

@Suite struct SQLTests {
    @Test func valuesBecomeNumberedParameters() {
        let name = "O'Reilly; DROP TABLE messages"
        let statement: SQL = "SELECT \(1) WHERE name = \(name) AND note = \(nil as String?) AND id = ANY(\([1, 2]))"
        #expect(statement.description == "SELECT $1 WHERE name = $2 AND note = $3 AND id = ANY($4)")
        #expect(statement.parameters.count == 4)
    }

    @Test func aPlainLiteralHasNoParameters() {
        let statement: SQL = "SELECT 'ä', '$1'"
        #expect(statement.description == "SELECT 'ä', '$1'")
        #expect(statement.parameters.count == 0)
    }

    @Test func placeholdersGoPastNine() {
        let statement: SQL = "\(0)\(1)\(2)\(3)\(4)\(5)\(6)\(7)\(8)\(9)\(10)\(11)"
        #expect(statement.description == "$1$2$3$4$5$6$7$8$9$10$11$12")
    }
}

@Suite struct PostgresArrayTests {
    private func reader(_ bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { bytes in ArrayReader(bytes)?.count }
    }

    @Test func anEmptyArrayHasNoDimensions() {
        var bytes: [UInt8] = []
        bytes.appendArrayHeader(of: .int4, count: 0, hasNulls: false)
        #expect(bytes == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23])
        #expect(self.reader(bytes) == 0)
    }

    @Test func anElementHasItsLengthAndNullHasMinusOne() {
        var bytes: [UInt8] = []
        bytes.appendArrayHeader(of: .int2, count: 2, hasNulls: true)
        bytes.appendElement(258 as Int16)
        bytes.appendElement(nil as Int16?)
        #expect(
            bytes == [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 21, 0, 0, 0, 2, 0, 0, 0, 1]
                + [0, 0, 0, 2, 1, 2, 255, 255, 255, 255])
    }

    @Test(
        arguments: [
            [], [0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23],
            // Two dimensions.
            [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
            // More elements than bytes, and fewer than none.
            [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 127, 255, 255, 255, 0, 0, 0, 1],
            [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 255, 255, 255, 255, 0, 0, 0, 1],
        ] as [[UInt8]])
    func whatIsNoArrayIsRefused(bytes: [UInt8]) {
        #expect(self.reader(bytes) == nil)
    }

    @Test func anElementThatEndsEarlyIsRefused() {
        let bytes: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 65]
        bytes.withUnsafeBytes { bytes in
            var reader = ArrayReader(bytes)
            #expect(reader?.count == 1)
            if case .some = reader?.next() { Issue.record("an element that is not all there") }
        }
    }
}
