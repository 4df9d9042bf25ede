import Messaging
import Postgres
import Store

/// A parameter in PostgreSQL's binary format.
struct BinaryValue {
    var bytes: [UInt8]

    /// The object ids of types, from PostgreSQL's `pg_type.dat`.
    static let uuid: UInt32 = 2950
    static let text: UInt32 = 25

    init(bytes: [UInt8]) { self.bytes = bytes }

    init(uuid id: MessageID) {
        var bytes: [UInt8] = []
        id.encode(into: &bytes)
        self.init(bytes: bytes)
    }
}

/// An array of one dimension in PostgreSQL's binary format, as `array_recv` reads it.
struct BinaryArray {
    private(set) var value: BinaryValue
    private(set) var count: UInt32 = 0

    /// Of the type with the object id `elements`.
    init(elements: UInt32) {
        // Dimensions, a flag for NULLs, the type; then the length and the first index of the one dimension.
        self.value = BinaryValue(bytes: [])
        for word: UInt32 in [1, 0, elements, 0, 1] { Self.append(word, to: &self.value.bytes) }
    }

    mutating func append(_ element: some Collection<UInt8>) {
        self.count += 1
        withUnsafeBytes(of: self.count.bigEndian) { self.value.bytes.replaceSubrange(12..<16, with: $0) }
        Self.append(UInt32(element.count), to: &self.value.bytes)
        self.value.bytes.append(contentsOf: element)
    }

    private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
