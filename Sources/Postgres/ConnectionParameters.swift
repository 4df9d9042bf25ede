import CPostgres

/// What a connection is opened with: a URL's settings, and ours for what it leaves open.
///
/// Nothing here is session state: no `options`, so that PgBouncer may sit between.
struct ConnectionParameters {
    private(set) var values: [(keyword: String, value: String)]

    /// Throws if `url` is neither a `postgresql://` URL nor a keyword string. The reason does not quote it: it may hold a
    /// password.
    init(url: String, applicationName: String) throws(PostgresError) {
        guard let options = PQconninfoParse(url, nil) else {
            throw .connection("the database URL is neither a postgresql:// URL nor a list of keyword=value")
        }
        defer { PQconninfoFree(options) }
        self.values = []
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                self.values.append((String(cString: keyword), String(cString: value)))
            }
            option += 1
        }
        for (keyword, value) in defaults { self.set(keyword, to: value) }
        self.set("application_name", to: applicationName)
    }

    /// Lends null-terminated arrays of keywords and values, as `PQconnectStartParams` wants them.
    func withUnsafePointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        withCStrings(self.values.map(\.keyword)) { keywords in
            withCStrings(self.values.map(\.value)) { values in body(keywords, values) }
        }
    }

    private mutating func set(_ keyword: String, to value: String) {
        guard !self.values.contains(where: { $0.keyword == keyword }) else { return }
        self.values.append((keyword, value))
    }
}

// MARK: - Private

private let defaults = [
    ("client_encoding", "UTF8"),
    // A peer that vanished without a word is noticed after a minute, whether we wait for it or have sent something.
    ("keepalives", "1"),
    ("keepalives_idle", "30"),
    ("keepalives_interval", "10"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "60000"),
    // Trying Kerberos first costs a round trip and, without a ticket, time-outs.
    ("gssencmode", "disable"),
]

/// Lends `strings` as a null-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
) -> Result {
    var bytes: [CChar] = []
    let offsets = strings.map { string in
        defer { bytes += string.utf8CString }
        return bytes.count
    }
    return bytes.withUnsafeBufferPointer { bytes in
        let pointers = offsets.map { offset in bytes.baseAddress.map { $0 + offset } } + [nil]
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
