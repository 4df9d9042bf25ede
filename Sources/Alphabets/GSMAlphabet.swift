/// The default alphabet of 3GPP TS 23.038 section 6.2.1 with its extension table.
///
/// Two well-known traps: the lower-case `ç` and the backtick are in neither table, although some libraries think so.
public enum GSMAlphabet {
    /// Row by row from 0x00. The escape, 0x1B, is no character and so is left out.
    public static let basic = """
        @£$¥èéùìòÇ\nØø\rÅå\
        Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ\
         !"#¤%&'()*+,-./\
        0123456789:;<=>?\
        ¡ABCDEFGHIJKLMNO\
        PQRSTUVWXYZÄÖÑÜ§\
        ¿abcdefghijklmno\
        pqrstuvwxyzäöñüà
        """

    /// Reached by the escape, so each costs two septets. Their codes are ``extensionCodes``.
    public static let `extension` = "\u{0C}^{}\\[~]|€"

    /// What follows the escape, in the order of ``extension``.
    static let extensionCodes: [UInt8] = [0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65]

    static let escape: UInt8 = 0x1B

    /// 1 or 2; nil when the alphabet lacks the character.
    public static func septets(of scalar: Unicode.Scalar) -> Int? {
        let index = Int(scalar.value)
        guard index < Self.codes.count, Self.codes[index] != Self.absent else { return nil }
        return Self.codes[index] >= Self.extended ? 2 : 1
    }

    /// The character's code, one septet an octet; nil when the alphabet lacks it.
    static func code(of scalar: Unicode.Scalar) -> (isExtended: Bool, code: UInt8)? {
        let index = Int(scalar.value)
        guard index < Self.codes.count, Self.codes[index] != Self.absent else { return nil }
        return (Self.codes[index] >= Self.extended, UInt8(truncatingIfNeeded: Self.codes[index]))
    }

    /// The text of septets, one an octet. What stands for no character becomes U+FFFD; an escape before a code that the
    /// extension lacks is dropped, as the standard has it.
    public static func decode(_ octets: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        var isEscaped = false
        for octet in octets {
            if octet == Self.escape, !isEscaped {
                isEscaped = true
                continue
            }
            let special = isEscaped ? Self.extensionCodes.firstIndex(of: octet) : nil
            text.append(special.map { Self.extensionScalars[$0] } ?? Self.scalar(of: octet))
            isEscaped = false
        }
        return String(text)
    }

    // MARK: - Private

    private static let absent: UInt16 = .max
    /// Marks a code of the extension.
    private static let extended: UInt16 = 0x100

    private static let extensionScalars = Array(Self.extension.unicodeScalars)

    /// By code; nil for the escape.
    private static let scalars: [Unicode.Scalar?] = {
        var scalars = Self.basic.unicodeScalars.map(Unicode.Scalar?.some)
        scalars.insert(nil, at: Int(Self.escape))
        return scalars
    }()

    private static func scalar(of octet: UInt8) -> Unicode.Scalar {
        (octet < 0x80 ? Self.scalars[Int(octet)] : nil) ?? "\u{FFFD}"
    }

    /// By scalar value, up to the greatest that the alphabet has, which is the euro sign.
    private static let codes: [UInt16] = {
        var codes = [UInt16](repeating: Self.absent, count: 0x20AD)
        for (code, scalar) in Self.scalars.enumerated() {
            if let scalar { codes[Int(scalar.value)] = UInt16(code) }
        }
        for (scalar, code) in zip(Self.extension.unicodeScalars, Self.extensionCodes) {
            codes[Int(scalar.value)] = Self.extended | UInt16(code)
        }
        return codes
    }()
}
