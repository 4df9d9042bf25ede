import CMicroHTTP
import Glibc
import HTTP

/// The request line and header fields of one request, read strictly.
///
/// libmicrohttpd reads leniently: bare line feeds, folded lines, spaces before a colon, several lengths, a length
/// beside a transfer coding. Each of these lets two readers of one byte stream disagree about where a request ends
/// (RFC 9112 section 11.2). So its list of fields is laid over the bytes it was made from, and every byte of the head
/// must be accounted for.
struct RequestHead {
    var fields = HTTPFields()
    /// What `Content-Length` announces; nil when there is none.
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var expectsContinue = false
    /// 400 or 431 when the request must be refused.
    private(set) var refusal: Int?

    private var hostCount = 0
    private var cursor: UnsafePointer<CChar>
    private let end: UnsafePointer<CChar>

    /// To be made in libmicrohttpd's first call for a request, while its memory holds the head.
    init(
        of connection: OpaquePointer, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>,
        target: RequestTarget, headerByteLimit: Int
    ) {
        let size = cmicrohttp_head_size(connection)
        self.cursor = method
        self.end = method + size
        guard size <= headerByteLimit else {
            self.refusal = 431
            return
        }
        guard target.path != nil, Self.isRequestLine(method, target, version, before: self.end) else {
            self.refusal = 400
            return
        }
        self.cursor = version + versionByteCount + 2
        self.fields.reserveCapacity(16)
        withUnsafeMutablePointer(to: &self) { head in
            _ = MHD_get_connection_values_n(connection, .HEADER_KIND, takeField, head)
        }
        self.checkWhole(isCurrent: version[7] != CChar(bitPattern: UInt8(ascii: "0")))
    }

    // MARK: - Private

    /// The request line, one space between its parts and CR LF behind it. libmicrohttpd has put a NUL for each
    /// space, CR and LF it found.
    private static func isRequestLine(
        _ method: UnsafePointer<CChar>, _ target: RequestTarget, _ version: UnsafePointer<CChar>,
        before end: UnsafePointer<CChar>
    ) -> Bool {
        let methodEnd = UInt(bitPattern: method) + UInt(strlen(method))
        return HTTPFields.isSendable(name: String(cString: method), value: "")
            && methodEnd + 1 == target.start
            && target.start + UInt(target.byteCount) + 1 == UInt(bitPattern: version)
            && version + versionByteCount + 2 < end
            && version[versionByteCount] == 0 && version[versionByteCount + 1] == 0
    }

    /// Takes one field of libmicrohttpd's list; false ends the walk.
    fileprivate mutating func take(
        _ name: UnsafePointer<CChar>, _ nameCount: Int, _ value: UnsafePointer<CChar>, _ valueCount: Int
    ) -> Bool {
        guard self.fields.count < WebServer.headerFieldLimit else { return self.refuse(431) }
        guard self.isNext(name, nameCount, value, valueCount) else { return self.refuse(400) }
        let nameText = Self.text(name, nameCount)
        let valueText = Self.text(value, Self.countWithoutTrailingSpace(value, valueCount))
        guard HTTPFields.isSendable(name: nameText, value: valueText), self.note(nameText, value, valueCount) else {
            return self.refuse(400)
        }
        self.fields.append(nameText, valueText)
        self.cursor = value + valueCount + 2
        return true
    }

    /// True when the field stands where the one before it ended, in one line of its own that ends in CR LF.
    /// A folded line, a bare line feed or a NUL breaks the row.
    private func isNext(
        _ name: UnsafePointer<CChar>, _ nameCount: Int, _ value: UnsafePointer<CChar>, _ valueCount: Int
    ) -> Bool {
        guard name == self.cursor, value > name + nameCount, value + valueCount + 2 <= self.end else { return false }
        var space = name + nameCount + 1
        while space < value {
            guard space.pointee == 0x20 || space.pointee == 0x09 else { return false }
            space += 1
        }
        return value[valueCount] == 0 && value[valueCount + 1] == 0
    }

    /// Notes what says where the body ends; false when it cannot be believed.
    private mutating func note(_ name: String, _ value: UnsafePointer<CChar>, _ count: Int) -> Bool {
        switch name.utf8.count {
        case 4 where strcasecmp(name, "Host") == 0: self.hostCount += 1
        case 6 where strcasecmp(name, "Expect") == 0: self.expectsContinue = true
        case 14 where strcasecmp(name, "Content-Length") == 0:
            guard self.contentLength == nil, let length = Self.length(value, count) else { return false }
            self.contentLength = length
        case 17 where strcasecmp(name, "Transfer-Encoding") == 0:
            // Compared as libmicrohttpd compares it, so that both mean the same body.
            guard !self.isChunked, strcasecmp(value, "chunked") == 0 else { return false }
            self.isChunked = true
        default: break
        }
        return true
    }

    private mutating func checkWhole(isCurrent: Bool) {
        guard self.refusal == nil else { return }
        let isWhole = self.cursor + 2 == self.end && self.cursor[0] == 0 && self.cursor[1] == 0
        let isHosted = isCurrent ? self.hostCount == 1 : self.hostCount <= 1
        let isFramed = !self.isChunked || (self.contentLength == nil && isCurrent)
        if !isWhole || !isHosted || !isFramed { self.refusal = 400 }
    }

    private mutating func refuse(_ status: Int) -> Bool {
        self.refusal = status
        return false
    }

    private static func length(_ digits: UnsafePointer<CChar>, _ count: Int) -> Int? {
        guard (1...18).contains(count) else { return nil }
        var length = 0
        for index in 0..<count {
            let digit = Int(digits[index]) - 0x30
            guard (0...9).contains(digit) else { return nil }
            length = length * 10 + digit
        }
        return length
    }

    private static func countWithoutTrailingSpace(_ value: UnsafePointer<CChar>, _ count: Int) -> Int {
        var count = count
        while count > 0, value[count - 1] == 0x20 || value[count - 1] == 0x09 { count -= 1 }
        return count
    }

    private static func text(_ start: UnsafePointer<CChar>, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}

/// "HTTP/1.1"
private let versionByteCount = 8

private let takeField: MHD_KeyValueIteratorN = { head, _, name, nameCount, value, valueCount in
    guard let head, let name, let value else { return .NO }
    let taken = head.assumingMemoryBound(to: RequestHead.self).pointee.take(name, nameCount, value, valueCount)
    return taken ? .YES : .NO
}
