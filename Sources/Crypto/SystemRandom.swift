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
