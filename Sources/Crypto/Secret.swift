/// Bytes that nobody should read by accident: a password, a key, a token.
///
/// It never prints: descriptions, string interpolation, `dump` and mirrors show dots, whatever its length. What needs
/// the bytes asks by name, with ``reveal()`` or ``text``, so that every such place can be searched for.
/// Two secrets are compared in constant time.
public struct Secret: Sendable {
    private let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The UTF-8 of `text`.
    public init(_ text: String) { self.bytes = Array(text.utf8) }

    public var isEmpty: Bool { self.bytes.isEmpty }

    /// The bytes themselves.
    public func reveal() -> [UInt8] { self.bytes }

    /// The bytes as text; what is no UTF-8 becomes U+FFFD.
    public var text: String { String(decoding: self.bytes, as: UTF8.self) }
}

extension Secret: Equatable {
    public static func == (left: Secret, right: Secret) -> Bool { equalInConstantTime(left.bytes, right.bytes) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "••••" }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
