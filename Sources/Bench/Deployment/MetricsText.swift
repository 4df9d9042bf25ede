/// What `/metrics` of a process says, in Prometheus's text format 0.0.4.
struct MetricsText {
    private let lines: [Substring]

    init(_ body: [UInt8]) {
        self.lines = String(decoding: body, as: UTF8.self).split(separator: "\n")
    }

    /// The sum of all series called `name`, whatever their labels; 0 when there is none yet.
    func sum(_ name: String) -> Double {
        self.lines.lazy.filter { line in
            guard line.hasPrefix(name) else { return false }
            let rest = line.dropFirst(name.utf8.count)
            return rest.first == " " || rest.first == "{"
        }
        .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        .reduce(0, +)
    }
}
