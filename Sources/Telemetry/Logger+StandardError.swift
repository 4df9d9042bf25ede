import Glibc

extension Logger {
    /// Writes a line to standard error with one `write(2)`, so that the lines of several threads do not mix. What a closed
    /// or full pipe refuses is lost: logging never stops the work.
    @Sendable public static func standardError(_ line: [UInt8]) {
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
