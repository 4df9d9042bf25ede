import Glibc
import Polling

/// What a process of the deployment does.
enum RoleName: String, Sendable, CaseIterable {
    case api, worker, receiver, carrier

    /// Of the API, the receiver and the carrier, who listen for requests beside the operations port.
    var listens: Bool { self != .worker }
}

/// A running process of the deployment.
struct RoleProcess: Sendable {
    let role: RoleName
    let process: ChildProcess
    /// Where it takes requests; 0 for a worker.
    let port: UInt16
    let operationsPort: UInt16

    /// Returns once the process says that it is ready and takes connections; blocks its thread. Throws when it has ended
    /// or is not ready within 15 s.
    func waitUntilReady(_ stop: BlockingWork.StopFlag) throws {
        let deadline = MonotonicTime.now + 15
        while !self.isReady {
            if let status = self.process.status { throw BenchError("pinpost \(self.role) \(status)") }
            if MonotonicTime.now > deadline { throw BenchError("pinpost \(self.role) was not ready within 15 s") }
            try stop.check()
            usleep(10_000)
        }
    }

    private var isReady: Bool {
        guard let answer = try? LocalRequest.send("GET", "/readyz", port: self.operationsPort), answer.status == 200
        else {
            return false
        }
        guard self.role.listens else { return true }
        guard let descriptor = try? LocalSocket.connect(port: self.port) else { return false }
        close(descriptor)
        return true
    }

    /// The most memory that it has had, in MiB: `VmHWM`, the peak of what was resident. Nil when it has ended.
    var peakMemory: Double? { self.memory("VmHWM") }

    /// The memory that it has now, in MiB: `VmRSS`, what is resident. Nil when it has ended.
    var memory: Double? { self.memory("VmRSS") }

    /// The processor time that it has had; 0 when it has ended.
    var processorSeconds: Double { ProcessTime.seconds(of: self.process.identifier) ?? 0 }

    private func memory(_ field: String) -> Double? {
        guard let file = fopen("/proc/\(self.process.identifier)/status", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = fread(&bytes, 1, bytes.count, file)
        return Self.memory(field, in: String(decoding: bytes[..<count], as: UTF8.self))
    }

    /// Reads the format of proc(5).
    static func memory(_ field: String, in status: String) -> Double? {
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
        let fields = line?.split { $0 == " " || $0 == "\t" }
        guard let fields, fields.count == 3, fields[2] == "kB", let kibibytes = Double(fields[1]) else { return nil }
        return kibibytes / 1024
    }
}
