/// How values are written in settings, read and shown again.
enum Spelling {
    /// `250ms`, `5s`, `10m`, `72h`: a whole number and a unit. Nil for anything else, and for more than a century.
    static func duration(_ text: String) -> Duration? {
        guard let (number, unit) = Self.split(text) else { return nil }
        let milliseconds: Int
        switch unit {
        case "ms": milliseconds = 1
        case "s": milliseconds = 1000
        case "m": milliseconds = 60_000
        case "h": milliseconds = 3_600_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: milliseconds)
        return overflow || product > 3_155_760_000_000 ? nil : .milliseconds(product)
    }

    static func text(_ duration: Duration) -> String {
        let milliseconds =
            Int(duration.components.seconds) * 1000
            + Int(duration.components.attoseconds / 1_000_000_000_000_000)
        for (unit, length) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        where milliseconds != 0 && milliseconds.isMultiple(of: length) {
            return "\(milliseconds / length)\(unit)"
        }
        return "\(milliseconds)ms"
    }

    /// `512`, `64KiB`, `1MiB`, `2GiB`: bytes. Nil for anything else.
    static func bytes(_ text: String) -> Int? {
        guard let (number, unit) = Self.split(text) else { return nil }
        let shift: Int
        switch unit {
        case "", "B": shift = 0
        case "KiB": shift = 10
        case "MiB": shift = 20
        case "GiB": shift = 30
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : product
    }

    static func text(bytes: Int) -> String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where bytes != 0 && bytes.isMultiple(of: 1 << shift) {
            return "\(bytes >> shift)\(unit)"
        }
        return "\(bytes)"
    }

    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }

    /// Digits and what follows them.
    private static func split(_ text: String) -> (Int, Substring)? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let number = Int(digits) else { return nil }
        return (number, text[digits.endIndex...])
    }
}

/// The one of `known` that somebody who wrote `name` most likely meant; nil when none is near.
func nearest(to name: String, among known: some Sequence<String>) -> String? {
    let limit = max(2, name.count / 3)
    let near = known.map { (name: $0, distance: editDistance(name, $0)) }.filter { $0.distance <= limit }
    return near.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
}

/// How many letters to insert, delete or replace (Levenshtein).
private func editDistance(_ one: String, _ other: String) -> Int {
    let (one, other) = (Array(one.utf8), Array(other.utf8))
    var row = Array(0...other.count)
    for (line, byte) in one.enumerated() {
        var diagonal = row[0]
        row[0] = line + 1
        for (column, otherByte) in other.enumerated() {
            let replaced = diagonal + (byte == otherByte ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
        }
    }
    return row[other.count]
}
