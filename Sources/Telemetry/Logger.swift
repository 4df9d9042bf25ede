public import Timestamps

/// Tells operators what a process does, one line an event.
///
/// Messages are constant sentences; what varies stands in fields. `debug` is for one line a message a stage, `info` for
/// a process's life, `warning` for what may need a look, `error` for what someone should look at.
/// A line that is below the level costs one comparison: its fields are not evaluated.
public struct Logger: Sendable {
    public typealias Fields = KeyValuePairs<StaticString, any LogValue>

    public enum Level: Int, Sendable, Hashable, Comparable, CaseIterable {
        case debug, info, warning, error

        public var name: String { "\(self)" }
        public init?(name: String) {
            guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = level
        }

        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// `2026-11-21T09:15:00.250Z info worker claimed count=12 lane=0`
        case text
        /// `{"time":"2026-11-21T09:15:00.250Z","level":"info","label":"worker","message":"claimed","count":"12"}`
        case json
    }

    /// What speaks, as in `worker`.
    public let label: String
    public let level: Level
    private let format: Format
    private let now: @Sendable () -> Timestamp
    private let write: @Sendable (_ line: [UInt8]) -> Void

    /// `write` takes one whole line with its line feed, from any thread, and should return soon.
    public init(
        label: String, level: Level = .info, format: Format = .text,
        now: @escaping @Sendable () -> Timestamp = { .now },
        write: @escaping @Sendable (_ line: [UInt8]) -> Void = Logger.standardError
    ) {
        self.label = label
        self.level = level
        self.format = format
        self.now = now
        self.write = write
    }

    /// A logger that says nothing.
    public static var silent: Logger { Logger(label: "", level: .error, write: { _ in }) }

    /// The same logger under another label.
    public func labelled(_ label: String) -> Logger {
        Logger(label: label, level: self.level, format: self.format, now: self.now, write: self.write)
    }

    public func debug(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if self.level <= .debug { self.log(.debug, message, fields()) }
    }

    public func info(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if self.level <= .info { self.log(.info, message, fields()) }
    }

    public func warning(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        if self.level <= .warning { self.log(.warning, message, fields()) }
    }

    public func error(_ message: StaticString, _ fields: @autoclosure () -> Fields = [:]) {
        self.log(.error, message, fields())
    }

    // MARK: - Private

    private func log(_ level: Level, _ message: StaticString, _ fields: Fields) {
        var line = LogLine(format: self.format)
        line.begin(time: self.now(), level: level, label: self.label, message: message)
        for (name, value) in fields { line.append(name, value.logged) }
        self.write(line.finished())
    }
}
