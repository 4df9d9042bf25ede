import Glibc

/// A file that holds one setting.
enum SettingsFile {
    struct Problem: Error { let reason: String }

    /// The file's text without its last line feed.
    static func contents(of path: String, byteLimit: Int) -> Result<String, Problem> {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return .failure(Problem(reason: "cannot open the file: \(lastError())")) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return .failure(Problem(reason: "cannot read the file: \(lastError())")) }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= byteLimit else {
                return .failure(Problem(reason: "the file has more than \(byteLimit) bytes"))
            }
        }
        if bytes.last == 0x0A { bytes.removeLast() }
        if bytes.last == 0x0D { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return .failure(Problem(reason: "the file is no UTF-8"))
        }
        return .success(text)
    }

    private static func lastError() -> String { String(cString: strerror(errno)) }
}
