import Crypto
import HTTP

extension FuzzTarget {
    /// Forms, percent-encoding, base64 and hexadecimal: what decodes and encodes again decodes to the same, and the strict
    /// ones know one text for one value.
    static let encodings = FuzzTarget(name: "encodings") { bytes in
        if let form = Form(parsing: bytes) {
            let written = form.serialized()
            // A nameless pair without a value is written as "=", and pairs of nothing between "&" are none.
            try promise("a form that was written is the same", Form(parsing: written) == form)
            for pair in form.pairs { try promise("a pair is found", form.values(pair.name).contains(pair.value)) }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        try promise(
            "what is percent-encoded decodes",
            PercentEncoding.decode(PercentEncoding.encode(text)).map { Array($0.utf8) } == Array(text.utf8))
        if let decoded = PercentEncoding.decode(text) {
            try promise("decoding adds nothing", decoded.utf8.count <= text.utf8.count)
        }
        try Self.checkBinary(text, bytes)
        try Self.checkFields(text)
    }

    // MARK: - Private

    private static func checkBinary(_ text: String, _ bytes: [UInt8]) throws {
        for alphabet in [Base64.Alphabet.standard, .url] {
            if let decoded = Base64.decode(text, alphabet) {
                try promise("base64 has one text for one value", Base64.encode(decoded, alphabet) == text)
            }
            try promise("base64 of anything decodes", Base64.decode(Base64.encode(bytes, alphabet), alphabet) == bytes)
        }
        if let decoded = Hex.decode(text) {
            try promise("hexadecimal is the same but for case", Hex.encode(decoded) == text.lowercased())
        }
        try promise("hexadecimal of anything decodes", Hex.decode(Hex.encode(bytes)) == bytes)
    }

    private static func checkFields(_ text: String) throws {
        var fields = HTTPFields()
        for line in text.split(separator: "\n").prefix(32) {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            fields.append(String(line[..<colon]), String(line[colon...].dropFirst()))
        }
        for field in fields.all {
            try promise("a field is found", fields.values(field.name).contains(field.value))
            let isSendable = HTTPFields.isSendable(name: field.name, value: field.value)
            try promise("what can be sent breaks no line", !isSendable || !field.value.utf8.contains(0x0D))
        }
        guard let first = fields.all.first else { return }
        fields[first.name] = "x"
        try promise("setting replaces", fields.values(first.name) == ["x"])
        fields[first.name] = nil
        try promise("nil removes", fields[first.name] == nil)
    }
}
