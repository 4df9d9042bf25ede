extension Duration {
    /// For a `Retry-After` (RFC 9110 section 10.2.3): whole seconds, rounded up, 1 at least.
    var secondsRoundedUp: Int64 {
        let (seconds, attoseconds) = self.components
        return max(1, attoseconds > 0 ? seconds + 1 : seconds)
    }
}
