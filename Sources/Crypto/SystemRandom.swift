import CCrypto

/// The cryptographic random generator: OpenSSL's, seeded by the kernel, one for each thread.
public enum SystemRandom {
    /// `count` bytes that nobody can foretell.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // It fails only when the kernel gives no entropy, and then nothing that we make would be secret.
            guard count == 0 || RAND_bytes(buffer.baseAddress, CInt(count)) == 1 else {
                fatalError("the system's random generator gives nothing")
            }
            initialized = count
        }
    }
}

/// The same bytes, fetched many at a time, for whoever needs many small pieces of them: each call of the generator costs more than
/// a hundred bytes do. A class, for a copy would give the same bytes once more, and a nonce may never be used twice; and not to be
/// shared by tasks.
public final class RandomReserve: RandomNumberGenerator {
    private let byteCount: Int
    private var bytes: [UInt8] = []
    private var taken = 0

    /// `byteCount`: fetched at a time.
    public init(byteCount: Int) {
        precondition(byteCount > 0, "a reserve of nothing")
        self.byteCount = byteCount
    }

    /// The next `count` bytes, which nobody gets twice.
    public func take(_ count: Int) -> ArraySlice<UInt8> {
        if self.bytes.count - self.taken < count {
            self.bytes = SystemRandom.bytes(max(count, self.byteCount))
            self.taken = 0
        }
        defer { self.taken += count }
        return self.bytes[self.taken..<self.taken + count]
    }

    public func next() -> UInt64 { self.take(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
