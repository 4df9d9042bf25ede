import CPostgres

/// The values of a statement in one contiguous buffer, however many there are.
///
/// What takes values is inlinable, so that whoever sends many is compiled for their types.
@usableFromInline
struct Parameters: Sendable {
    /// At most this many: the protocol counts them in 16 bits. Many values travel in an array.
    @usableFromInline static let limit = 65535

    @usableFromInline var bytes: [UInt8] = []
    @usableFromInline var offsets: [Int] = []
    /// Bytes; -1 for NULL.
    @usableFromInline var lengths: [Int32] = []
    @usableFromInline var types: [UInt32] = []
    @usableFromInline var formats: [Int32] = []

    init(capacity: Int) {
        self.offsets.reserveCapacity(capacity)
        self.lengths.reserveCapacity(capacity)
        self.types.reserveCapacity(capacity)
        self.bytes.reserveCapacity(16 * (capacity + 1))
    }

    @usableFromInline var count: Int { self.types.count }

    @inlinable
    mutating func append<Value: PostgresEncodable>(_ value: Value?) {
        self.append(type: Value.postgresType.oid, value) { value, bytes in value.encode(into: &bytes) }
    }

    @inlinable
    mutating func append<Element: PostgresEncodable>(array: [Element]?) {
        self.append(type: Element.postgresType.arrayOID, array) { array, bytes in
            bytes.appendArrayHeader(of: Element.postgresType, count: array.count, hasNulls: false)
            for element in array { bytes.appendElement(element) }
        }
    }

    @inlinable
    mutating func append<Element: PostgresEncodable>(array: [Element?]?) {
        self.append(type: Element.postgresType.arrayOID, array) { array, bytes in
            let hasNulls = array.contains { $0 == nil }
            bytes.appendArrayHeader(of: Element.postgresType, count: array.count, hasNulls: hasNulls)
            for element in array { bytes.appendElement(element) }
        }
    }

    /// Sends `text` with these values, asking for binary results. False if libpq refused before anything was sent.
    func send(_ text: [UInt8], on handle: OpaquePointer) -> Bool {
        let status = self.withValues { values in
            text.withUnsafeBytes { text in
                PQsendQueryParams(
                    handle, text.assumingMemoryBound(to: CChar.self).baseAddress, Int32(self.count), self.types, values,
                    self.lengths, self.formats, binaryFormat
                )
            }
        }
        return status == 1
    }

    /// Has the server prepare `text` for values of these types. False as with `send`.
    func prepare(_ text: [UInt8], as name: String, on handle: OpaquePointer) -> Bool {
        text.withUnsafeBytes { text in
            PQsendPrepare(
                handle, name, text.assumingMemoryBound(to: CChar.self).baseAddress, Int32(self.count), self.types)
        } == 1
    }

    /// Sends these values to the prepared statement `name`, asking for binary results. False as with `send`.
    func send(prepared name: String, on handle: OpaquePointer) -> Bool {
        self.withValues { values in
            PQsendQueryPrepared(handle, name, Int32(self.count), values, self.lengths, self.formats, binaryFormat)
        } == 1
    }

    // MARK: - Private

    @inlinable
    mutating func append<Value>(
        type: UInt32, _ value: Value?, encode: (Value, inout [UInt8]) -> Void
    ) {
        precondition(self.count < Self.limit, "a statement has at most \(Self.limit) parameters; send an array")
        let offset = self.bytes.count
        if let value { encode(value, &self.bytes) }
        self.offsets.append(offset)
        self.lengths.append(value == nil ? -1 : Int32(self.bytes.count - offset))
        self.types.append(type)
        self.formats.append(binaryFormat)
    }

    /// Lends one pointer a value, null for NULL.
    private func withValues<Result>(_ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result) -> Result {
        self.bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: self.count) { values in
                for index in 0..<self.count {
                    values.initializeElement(at: index, to: self.address(of: index, in: bytes))
                }
                return body(values.baseAddress.map { UnsafePointer($0) })
            }
        }
    }

    private func address(of index: Int, in bytes: UnsafeRawBufferPointer) -> UnsafePointer<CChar>? {
        guard self.lengths[index] >= 0 else { return nil }
        // An empty value may lie at the very end, where nothing is read; `init` reserved room, so there is an address.
        let base = bytes.assumingMemoryBound(to: CChar.self).baseAddress
        precondition(base != nil, "parameters live in a buffer that has an address")
        return base! + self.offsets[index]
    }
}

/// As opposed to 0, text.
@usableFromInline let binaryFormat: Int32 = 1
