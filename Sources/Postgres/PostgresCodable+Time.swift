public import Timestamps

/// Travels as `timestamptz`. The greatest and the least timestamp are PostgreSQL's `infinity` and `-infinity`.
extension Timestamp: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .timestamptz }

    public func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self.sinceMillennium) }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard let microseconds = bytes.wholeBigEndian(as: Int64.self) else { throw .undecodable(Timestamp.self) }
        guard microseconds != .max && microseconds != .min else {
            self.init(microseconds: microseconds)
            return
        }
        // PostgreSQL's last day, in the year 294276, is well below the greatest sum.
        let (sum, hasOverflown) = microseconds.addingReportingOverflow(millennium)
        guard !hasOverflown else { throw .undecodable(Timestamp.self) }
        self.init(microseconds: sum)
    }

    private var sinceMillennium: Int64 {
        guard self.microseconds != .max && self.microseconds != .min else { return self.microseconds }
        let (difference, hasOverflown) = self.microseconds.subtractingReportingOverflow(millennium)
        // A moment before PostgreSQL's first: what is sent must be refused, and `.min` would be `-infinity`.
        return hasOverflown ? .min + 1 : difference
    }
}

/// Travels as `interval`, in whole microseconds (the rest is dropped) and without days or months, so that adding it to a
/// `timestamptz` does the same whatever the session's time zone.
///
/// Reads days as 24 hours each, and refuses months: they have no length.
extension Duration: PostgresEncodable, PostgresDecodable {
    public static var postgresType: PostgresType { .interval }

    public func encode(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(self.microseconds)
        bytes.appendBigEndian(0 as Int32)
        bytes.appendBigEndian(0 as Int32)
    }

    public init(postgresBinary bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard bytes.count == 16, let microseconds = bytes.bigEndian(at: 0, as: Int64.self),
            let days = bytes.bigEndian(at: 8, as: Int32.self), bytes.bigEndian(at: 12, as: Int32.self) == 0
        else { throw .undecodable(Duration.self) }
        self = .microseconds(microseconds) + .seconds(86400 * Int64(days))
    }
}

// MARK: - Private

/// Where PostgreSQL counts from: 2000-01-01T00:00:00Z, in microseconds since 1970.
private let millennium: Int64 = 946_684_800 * 1_000_000
