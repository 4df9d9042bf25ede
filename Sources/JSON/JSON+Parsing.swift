import CJansson

/// Why a text is no JSON, and where.
public struct JSONError: Error, Hashable, CustomStringConvertible {
    /// What was wrong; never a piece of the text, which may hold a secret.
    public let problem: String
    /// Where, counted from 1; columns count code points.
    public let line: Int
    public let column: Int
    /// Bytes that had been read when the fault was found.
    public let offset: Int

    public var description: String { "\(self.problem) at line \(self.line), column \(self.column)" }
}

extension JSON {
    /// More arrays and objects inside one another are refused: no request of ours needs them, and recursion has a price.
    public static let depthLimit = 16

    /// Reads one JSON text in strict UTF-8. A member named twice is refused, as is anything after the value.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        // No JSON text holds a raw NUL; jansson lets one stand behind the value.
        if let end = bytes.firstIndex(of: 0) { throw JSONError("a NUL where none may stand", in: bytes[...end]) }
        var failure = json_error_t()
        let flags = Int(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)
        let root = bytes.withUnsafeBytes { bytes in
            json_loadb(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self) ?? emptyText, bytes.count, flags, &failure)
        }
        guard let root else { throw JSONError(failure) }
        defer { cjansson_release(root) }
        guard let value = JSON(root, depth: 0) else { throw JSONError(nestedTooDeeplyIn: bytes) }
        self = value
    }

    /// Copies a jansson value that stands in `depth` others; nil when it is nested too deeply.
    private init?(_ value: UnsafeMutablePointer<json_t>, depth: Int) {
        switch value.pointee.type {
        case JSON_OBJECT where depth >= Self.depthLimit, JSON_ARRAY where depth >= Self.depthLimit: return nil
        case JSON_OBJECT:
            guard let members = Self.members(of: value, depth: depth) else { return nil }
            self = .object(members)
        case JSON_ARRAY:
            var elements: [JSON] = []
            elements.reserveCapacity(json_array_size(value))
            for index in 0..<json_array_size(value) {
                guard let element = JSON(json_array_get(value, index), depth: depth + 1) else { return nil }
                elements.append(element)
            }
            self = .array(elements)
        case JSON_STRING: self = .string(Self.text(json_string_value(value), json_string_length(value)))
        case JSON_INTEGER: self = .integer(Int64(json_integer_value(value)))
        case JSON_REAL: self = .number(json_real_value(value))
        case JSON_TRUE: self = .bool(true)
        case JSON_FALSE: self = .bool(false)
        default: self = .null
        }
    }

    private static func members(of object: UnsafeMutablePointer<json_t>, depth: Int) -> [Member]? {
        var members: [Member] = []
        members.reserveCapacity(json_object_size(object))
        var position = json_object_iter(object)
        while let current = position {
            guard let value = JSON(json_object_iter_value(current), depth: depth + 1) else { return nil }
            members.append(Member(text(json_object_iter_key(current), json_object_iter_key_len(current)), value))
            position = json_object_iter_next(object, current)
        }
        return members
    }

    /// jansson has checked the UTF-8 already.
    private static func text(_ bytes: UnsafePointer<CChar>, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
}

extension JSONError {
    fileprivate init(_ failure: json_error_t) {
        self.init(
            problem: Self.problem(code: failure), line: max(1, Int(failure.line)),
            column: max(1, Int(failure.column)), offset: max(0, Int(failure.position))
        )
    }

    /// Finds the first bracket too many in a text that is otherwise good, so that what stands in strings is all there
    /// is to step over.
    fileprivate init(nestedTooDeeplyIn bytes: [UInt8]) {
        var (depth, offset) = (0, 0)
        var (isInString, isEscaped) = (false, false)
        while offset < bytes.count, depth <= JSON.depthLimit {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case _ where isEscaped: isEscaped = false
            case UInt8(ascii: "\\") where isInString: isEscaped = true
            case UInt8(ascii: "\""): isInString.toggle()
            case _ where isInString: break
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        self.init("nested deeper than \(JSON.depthLimit)", in: bytes[..<offset])
    }

    /// A problem with the last byte of what has been read.
    fileprivate init(_ problem: String, in read: ArraySlice<UInt8>) {
        let lines = read.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // Bytes that continue a code point are no column of their own.
        let column = lines[lines.count - 1].count { $0 & 0xC0 != 0x80 }
        self.init(problem: problem, line: lines.count, column: column, offset: read.count)
    }

    /// jansson's own text quotes the input, so only its code is used.
    private static func problem(code failure: json_error_t) -> String {
        switch cjansson_error_code(failure) {
        case json_error_invalid_utf8: "invalid UTF-8"
        case json_error_premature_end_of_input: "the text ends too early"
        case json_error_end_of_input_expected: "more text after the value"
        case json_error_duplicate_key: "a member is named twice"
        case json_error_numeric_overflow: "a number is too large"
        case json_error_null_character, json_error_null_byte_in_key: "a NUL where none may stand"
        case json_error_stack_overflow: "nested too deeply"
        default: "unexpected text"
        }
    }
}

/// jansson refuses a null pointer even for no bytes.
private nonisolated(unsafe) let emptyText: UnsafePointer<CChar> = {
    let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    byte.pointee = 0
    return UnsafePointer(byte)
}()
