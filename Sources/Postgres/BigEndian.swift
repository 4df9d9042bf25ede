extension [UInt8] {
    /// Appends `value` in network byte order, as all of PostgreSQL's binary forms have it.
    @inlinable
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { self.append(contentsOf: $0) }
    }

    /// Overwrites four bytes appended earlier, for a length known only now.
    @inlinable
    mutating func replaceInt32(at offset: Int, with value: Int) {
        let value = Int32(value)
        for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> Int32(24 - 8 * index)) }
    }
}

extension UnsafeRawBufferPointer {
    /// The integer in network byte order at `offset`. Nil if it is not wholly inside.
    func bigEndian<Integer: FixedWidthInteger>(at offset: Int = 0, as type: Integer.Type = Integer.self) -> Integer? {
        guard offset >= 0, self.count - offset >= MemoryLayout<Integer>.size else { return nil }
        return Integer(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }

    /// The integer these bytes are. Nil if they are longer or shorter.
    func wholeBigEndian<Integer: FixedWidthInteger>(as type: Integer.Type = Integer.self) -> Integer? {
        self.count == MemoryLayout<Integer>.size ? self.bigEndian() : nil
    }
}
