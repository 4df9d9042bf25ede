/// Cuts what a connection brings into PDUs.
public struct Framer: Sendable {
    private var buffer: [UInt8] = []
    /// Where the next PDU begins.
    private var first = 0

    public init() {}

    public mutating func append(_ octets: some Sequence<UInt8>) {
        if self.first > 0 {
            self.buffer.removeSubrange(..<self.first)
            self.first = 0
        }
        self.buffer += octets
    }

    /// The next whole PDU, or why it is none; nil until more has come. Throws when the length cannot be: nobody knows then
    /// where the next one begins.
    public mutating func next() throws(PDUError) -> Result<PDU, PDUError>? {
        let rest = self.buffer[self.first...]
        guard rest.count >= 4 else { return nil }
        let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard (PDU.headerLength...PDU.lengthLimit).contains(length) else {
            throw PDUError(.length, header: PDUHeader(rest))
        }
        guard rest.count >= length else { return nil }
        self.first += length
        do throws(PDUError) {
            return .success(try PDU.decode(rest.prefix(length)))
        } catch {
            return .failure(error)
        }
    }
}
