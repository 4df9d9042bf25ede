import Glibc

/// Where PostgreSQL's programs are.
struct ServerBinaries {
    let initdb: String
    let postgres: String

    /// Looks through PATH and the places distributions use. For data made by major `version`, programs of that version come
    /// first; else the newest do.
    static func find(version: String?) throws(PostgresServerError) -> ServerBinaries {
        let versioned = children(of: "/usr/lib/postgresql").sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        let matching = versioned.filter { $0 == version } + versioned
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let inPath = path.split(separator: ":").map(String.init)
        let packaged = matching.map { "/usr/lib/postgresql/\($0)/bin" } + ["/usr/local/pgsql/bin"]
        let candidates = version == nil ? inPath + packaged : packaged + inPath
        for directory in candidates where areThere(in: directory) {
            return ServerBinaries(initdb: "\(directory)/initdb", postgres: "\(directory)/postgres")
        }
        throw PostgresServerError(
            "the PostgreSQL server is not installed: found no initdb and postgres in PATH or /usr/lib/postgresql/*/bin "
                + "(Debian: apt install postgresql; or set DATABASE_URL to use a server that runs elsewhere)"
        )
    }

    private static func areThere(in directory: String) -> Bool {
        access("\(directory)/initdb", X_OK) == 0 && access("\(directory)/postgres", X_OK) == 0
    }
}

/// The names in a directory, without `.` and `..`. None if it cannot be read.
func children(of directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
            name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names
}
