// The binary form of an array (`array_send` in PostgreSQL's arrayfuncs.c): the number of dimensions, whether there are
// NULLs, the element type, then each dimension's length and lower bound, then each element as a length and its bytes. An
// empty array has no dimensions.

extension [UInt8] {
    @inlinable
    mutating func appendArrayHeader(of type: PostgresType, count: Int, hasNulls: Bool) {
        self.appendBigEndian(Int32(count == 0 ? 0 : 1))
        self.appendBigEndian(Int32(hasNulls ? 1 : 0))
        self.appendBigEndian(type.oid)
        guard count > 0 else { return }
        self.appendBigEndian(Int32(count))
        self.appendBigEndian(1 as Int32)
    }

    @inlinable
    mutating func appendElement(_ element: (some PostgresEncodable)?) {
        let start = self.count
        self.appendBigEndian(-1 as Int32)
        guard let element else { return }
        element.encode(into: &self)
        self.replaceInt32(at: start, with: self.count - start - 4)
    }
}

/// Reads the elements of an array in order. Nothing in it traps, whatever the bytes are.
struct ArrayReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    let elementType: PostgresType
    let count: Int

    /// Nil unless the bytes are an array of at most one dimension.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let dimensions = bytes.bigEndian(at: 0, as: Int32.self), dimensions == 0 || dimensions == 1,
            let type = bytes.bigEndian(at: 8, as: UInt32.self)
        else { return nil }
        self.bytes = bytes
        self.elementType = PostgresType(oid: type, arrayOID: 0)
        if dimensions == 0 {
            self.count = 0
            self.offset = 12
            return
        }
        // Each element has at least its length, so a wrong count cannot ask for more memory than came.
        guard let count = bytes.bigEndian(at: 12, as: Int32.self), (0...(bytes.count / 4)).contains(Int(count)) else {
            return nil
        }
        self.count = Int(count)
        self.offset = 20
    }

    /// The next element's bytes, nil within for NULL. Nil if they are not all there.
    mutating func next() -> UnsafeRawBufferPointer?? {
        guard let length = self.bytes.bigEndian(at: self.offset, as: Int32.self) else { return nil }
        self.offset += 4
        guard length >= 0 else { return .some(nil) }
        guard self.bytes.count - self.offset >= Int(length) else { return nil }
        defer { self.offset += Int(length) }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<(self.offset + Int(length))])
    }
}
