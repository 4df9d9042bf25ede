/// A statement whose every interpolated value travels as a binary parameter of a stated type.
///
/// The only way to build one is a literal, so a value cannot become part of the text, but for a UUID that is meant to:
///
///     let statement: SQL = "SELECT body FROM messages WHERE id = \(id)"
///     // text: "SELECT body FROM messages WHERE id = $1"
///
/// Interpolated may be any ``PostgresEncodable``, an array of them, an array of optionals, and each of these as an
/// optional, nil being NULL.
public struct SQL: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// UTF-8, with the zero at the end that C wants.
    let text: [UInt8]
    let parameters: Parameters
    /// See ``prepared`` and ``preparedForLookUps``.
    private(set) var planning = Planning.eachTime
    private let needsItsValues: Bool

    /// The same statement, prepared once a connection where the session is ours, and planned once for any values
    /// (PostgreSQL's manual, PREPARE and `plan_cache_mode`).
    ///
    /// For statements that need no knowledge of the values or of the tables' sizes to be planned well: inserts, and look-ups
    /// by a whole key. A join may be planned while a table is empty and then be carried out when it has millions of rows;
    /// such statements are better planned each time, or as ``preparedForLookUps``.
    public var prepared: SQL { self.planned(.once) }

    /// As ``prepared``, for a statement that looks the rows of a batch up by indexes that fit: it is planned without reading
    /// tables whole, and anew every half a second, since of a table that is empty it would read all until long after it has
    /// grown. A statement of many parts takes longer to be planned than to be carried out.
    ///
    /// The planner expects ten rows in a batch, and one where two conditions meet. So such a statement does not join two of its
    /// own parts by a key, which would compare each row with each, but carries what the next part needs; and what it reads in a
    /// table is looked up by LATERAL with a LIMIT, or a small table would be read for each batch.
    ///
    /// A statement that ``StringInterpolation/needsItsValues`` stays as it is.
    public var preparedForLookUps: SQL { self.needsItsValues ? self : self.planned(.onceForLookUps) }

    private func planned(_ planning: Planning) -> SQL {
        var statement = self
        statement.planning = planning
        return statement
    }

    public init(stringLiteral value: StaticString) {
        var interpolation = StringInterpolation(literalCapacity: value.utf8CodeUnitCount, interpolationCount: 0)
        interpolation.appendLiteral(value)
        self.init(stringInterpolation: interpolation)
    }

    public init(stringInterpolation: StringInterpolation) {
        self.text = stringInterpolation.text + [0]
        self.parameters = stringInterpolation.parameters
        self.needsItsValues = stringInterpolation.needsItsValues
    }

    /// The text with `$1`, `$2` and so on, and none of the values.
    public var description: String { String(decoding: self.text.dropLast(), as: UTF8.self) }

    /// A piece of a statement, known when the program was built: no value can be in it.
    public struct Fragment: Sendable, ExpressibleByStringLiteral {
        let text: StaticString
        public init(stringLiteral value: StaticString) { self.text = value }
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        @usableFromInline var text: [UInt8] = []
        @usableFromInline var parameters: Parameters
        /// A plan for any values would be a bad one: what bounds the partitions is not known. Set by who interpolates such a value.
        public var needsItsValues = false

        public init(literalCapacity: Int, interpolationCount: Int) {
            self.text.reserveCapacity(literalCapacity + 4 * interpolationCount + 1)
            self.parameters = Parameters(capacity: interpolationCount)
        }

        public mutating func appendLiteral(_ literal: StaticString) {
            literal.withUTF8Buffer { self.text.append(contentsOf: $0) }
        }

        /// Text that stands in several statements.
        public mutating func appendInterpolation(_ fragment: Fragment) { self.appendLiteral(fragment.text) }

        /// A UUID that stands in the text, so that a plan is made for it: partitions that cannot hold it are left out when it is
        /// planned, and not each time that it is carried out. Each other value makes another statement to prepare, so this is for
        /// those of which there are few.
        public mutating func appendInterpolation(knownUUID high: UInt64, _ low: UInt64) {
            self.text.append(UInt8(ascii: "'"))
            for word in [high, low] {
                for shift in stride(from: 60, through: 0, by: -4) {
                    self.text.append(Self.digits[Int(truncatingIfNeeded: word >> UInt64(shift)) & 0xF])
                }
            }
            self.text.append(contentsOf: "'::uuid".utf8)
        }

        private static let digits = Array("0123456789abcdef".utf8)

        @inlinable
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            self.parameters.append(value)
            self.appendPlaceholder()
        }

        @inlinable
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            self.parameters.append(value)
            self.appendPlaceholder()
        }

        @inlinable
        public mutating func appendInterpolation<Element: PostgresEncodable>(_ array: [Element]) {
            self.parameters.append(array: array)
            self.appendPlaceholder()
        }

        @inlinable
        public mutating func appendInterpolation<Element: PostgresEncodable>(_ array: [Element]?) {
            self.parameters.append(array: array)
            self.appendPlaceholder()
        }

        @inlinable
        public mutating func appendInterpolation<Element: PostgresEncodable>(_ array: [Element?]) {
            self.parameters.append(array: array)
            self.appendPlaceholder()
        }

        @inlinable
        public mutating func appendInterpolation<Element: PostgresEncodable>(_ array: [Element?]?) {
            self.parameters.append(array: array)
            self.appendPlaceholder()
        }

        @usableFromInline
        mutating func appendPlaceholder() {
            self.text.append(UInt8(ascii: "$"))
            self.text.append(contentsOf: String(self.parameters.count).utf8)
        }
    }
}
