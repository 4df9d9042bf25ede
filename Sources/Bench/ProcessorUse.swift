import Glibc

/// How busy the machine's processors are, from the first line of `/proc/stat` (proc(5)).
///
/// Looked at before anything is started: what others use then is missing from every figure.
struct ProcessorUse: Hashable {
    /// In the kernel's ticks, over all processors.
    var busy: Int
    /// Of ``busy``, what the hypervisor gave to other machines while this one had something to do.
    var stolen: Int
    var all: Int

    /// Nil where the kernel does not tell.
    static var now: ProcessorUse? {
        guard let file = fopen("/proc/stat", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = fread(&bytes, 1, bytes.count, file)
        return ProcessorUse(parsing: String(decoding: bytes[..<count], as: UTF8.self))
    }

    /// The fields of the line are user, nice, system, idle, iowait, irq, softirq, steal.
    init?(parsing text: String) {
        let fields = text.prefix { $0 != "\n" }.split(separator: " ")
        let ticks = fields.dropFirst().prefix(8).compactMap { Int($0) }
        guard fields.first == "cpu", ticks.count == 8 else { return nil }
        self.all = ticks.reduce(0, +)
        self.busy = self.all - ticks[3] - ticks[4]
        self.stolen = ticks[7]
    }

    /// The share of the time since `earlier` in which processors were busy, from 0 to 100.
    func percent(since earlier: ProcessorUse) -> Double {
        self.all > earlier.all ? 100 * Double(self.busy - earlier.busy) / Double(self.all - earlier.all) : 0
    }
}
