import Glibc

/// The operating system's user the server runs as: ourselves, or `postgres` when we are root, as PostgreSQL refuses to
/// run as root.
struct ServerAccount {
    let user: uid_t
    let group: gid_t
    private let isOther: Bool

    static func find() throws(PostgresServerError) -> ServerAccount {
        guard geteuid() == 0 else { return ServerAccount(user: geteuid(), group: getegid(), isOther: false) }
        guard let entry = getpwnam("postgres") else {
            throw PostgresServerError(
                "PostgreSQL refuses to run as root, and there is no user `postgres` to run it as: make one "
                    + "(useradd --system postgres), or start this as an ordinary user"
            )
        }
        return ServerAccount(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid, isOther: true)
    }

    /// The command line that runs `program` as this user, told to end (with a fast shutdown) should we die.
    ///
    /// Without util-linux's `setpriv` the server of an ordinary user outlives us; the next start then stops it.
    func command(_ program: String, _ arguments: [String]) throws(PostgresServerError) -> [String] {
        let places: [String] = ["/usr/bin/setpriv", "/bin/setpriv"]
        guard let setpriv = places.first(where: { place in access(place, X_OK) == 0 }) else {
            guard !self.isOther else {
                throw PostgresServerError("setpriv (of util-linux) is needed to run PostgreSQL as user `postgres`")
            }
            return [program] + arguments
        }
        let identity = self.isOther ? ["--reuid=\(self.user)", "--regid=\(self.group)", "--init-groups"] : []
        return [setpriv, "--pdeathsig=INT"] + identity + ["--", program] + arguments
    }

    /// Makes `path` this user's.
    func own(_ path: String) throws(PostgresServerError) {
        guard self.isOther, lchown(path, self.user, self.group) != 0 else { return }
        throw PostgresServerError("cannot give \(path) to user `postgres`: \(String(cString: strerror(errno)))")
    }

    /// Throws if a directory above `path` does not let this user through, naming it.
    func checkReach(_ path: String) throws(PostgresServerError) {
        guard self.isOther else { return }
        var prefix = ""
        for component in path.split(separator: "/").dropLast() {
            prefix += "/\(component)"
            var status = stat()
            guard stat(prefix, &status) == 0, !self.mayEnter(status) else { continue }
            throw PostgresServerError(
                "PostgreSQL runs as user `postgres`, who may not enter \(prefix): choose another directory than \(path), "
                    + "or chmod a+x \(prefix)"
            )
        }
    }

    private func mayEnter(_ status: stat) -> Bool {
        let needed: mode_t =
            status.st_uid == self.user ? S_IXUSR : status.st_gid == self.group ? S_IXGRP : S_IXOTH
        return status.st_mode & needed != 0
    }
}
