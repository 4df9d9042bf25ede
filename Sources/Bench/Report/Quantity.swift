/// Figures as people read them.
enum Quantity {
    /// A whole number with commas, as in `16,900`.
    static func grouped(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "?" }
        var digits = String(Int64(value.rounded().magnitude))[...]
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        return (value.rounded() < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    /// With so many decimals, one at least, zeros included.
    static func decimal(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "?" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((value * scale).rounded().magnitude)
        let fraction = String(scaled % Int64(scale))
        let zeros = String(repeating: "0", count: max(0, decimals - fraction.count))
        return (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / Int64(scale)).\(zeros)\(fraction)"
    }
}
