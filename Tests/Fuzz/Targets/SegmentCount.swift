/// Segments counted apart from what counts them in production: 3GPP TS 23.038's table by code points, copied from the document
/// anew, and parts cut by laying characters into them.
struct SegmentCount {
    let isGSM: Bool
    let count: Int

    init(of text: String) {
        let points = text.unicodeScalars.map(\.value)
        self.isGSM = points.allSatisfy { Self.basic.contains($0) || Self.escaped.contains($0) }
        let isGSM = self.isGSM
        let widths = points.map { point in
            isGSM ? (Self.escaped.contains(point) ? 2 : 1) : (point > 0xFFFF ? 2 : 1)
        }
        let (single, part) = isGSM ? (160, 153) : (70, 67)
        if widths.reduce(0, +) <= single {
            self.count = 1
            return
        }
        var parts: [Int] = []
        for width in widths {
            if let last = parts.last, last + width <= part {
                parts[parts.count - 1] += width
            } else {
                parts.append(width)
            }
        }
        self.count = parts.count
    }

    private static let basic: Set<UInt32> = {
        var points: Set<UInt32> = [0x0A, 0x0D, 0x5F, 0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7]
        points.formUnion([0xD8, 0xF8, 0xC5, 0xE5, 0x394, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E])
        points.formUnion([0xC6, 0xE6, 0xDF, 0xC9, 0xA4, 0xA1, 0xC4, 0xD6, 0xD1, 0xDC, 0xA7])
        points.formUnion([0xBF, 0xE4, 0xF6, 0xF1, 0xFC, 0xE0])
        // From the space to the question mark ASCII but for the dollar, whose place the currency sign has.
        points.formUnion(0x20...0x3F)
        points.formUnion(0x41...0x5A)
        points.formUnion(0x61...0x7A)
        return points
    }()

    private static let escaped: Set<UInt32> = [0x0C, 0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC]
}
