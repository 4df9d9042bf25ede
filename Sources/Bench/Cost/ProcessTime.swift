import Glibc

/// The processor time of a process and of those that it started, from `/proc/PID/stat` (proc(5)).
struct ProcessTime: Hashable {
    var name: String
    var parent: Int32
    /// Ticks of the kernel, in the program and for it in the kernel.
    var own: Int
    /// Of children that have ended and were waited for.
    var children: Int

    /// Nil when there is no such process.
    init?(of process: Int32) {
        guard let text = Self.read("/proc/\(process)/stat") else { return nil }
        self.init(parsing: text)
    }

    /// The name is in brackets and may hold anything; behind it come the state, the parent, and so on.
    init?(parsing text: String) {
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 14, let parent = Int32(fields[1]) else { return nil }
        let ticks = fields[11...14].compactMap { Int($0) }
        guard ticks.count == 4 else { return nil }
        self.name = String(text[text.index(after: open)..<close])
        self.parent = parent
        self.own = ticks[0] + ticks[1]
        self.children = ticks[2] + ticks[3]
    }

    /// Ticks in a second.
    static let frequency = Double(sysconf(Int32(_SC_CLK_TCK)))

    /// Processor seconds of a process alone; nil when it has ended.
    static func seconds(of process: Int32) -> Double? {
        ProcessTime(of: process).map { Double($0.own) / Self.frequency }
    }

    /// Processor seconds of a process and of its children, those that have ended included; nil when it has.
    ///
    /// A child that ends meanwhile would be missed, or counted twice: then all is looked at again.
    static func seconds(ofFamily process: Int32) -> Double? {
        guard var parent = ProcessTime(of: process) else { return nil }
        for _ in 0..<Self.familyLooks {
            let living = Self.processes.lazy.compactMap { ProcessTime(of: $0) }.filter { $0.parent == process }
            let ticks = living.reduce(0) { $0 + $1.own }
            guard let after = ProcessTime(of: process) else { return nil }
            if after.children == parent.children { return Double(ticks + after.own + after.children) / Self.frequency }
            parent = after
        }
        return nil
    }

    /// Looks at a family until nobody has ended during one.
    private static let familyLooks = 50

    // MARK: - Private

    private static var processes: [Int32] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let process = Int32(name) { found.append(process) }
        }
        return found
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
