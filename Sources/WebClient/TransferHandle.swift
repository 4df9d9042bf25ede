import CCurl

/// A libcurl handle at work for one transfer; lives on the client's thread.
protocol TransferHandle: AnyObject {
    var easy: UnsafeMutableRawPointer { get }
    /// When the transfer's time is over.
    var deadline: ContinuousClock.Instant { get }
    /// Gives the transfer its outcome.
    func finish(_ code: CURLcode)
    func cancel()
}

extension TransferHandle {
    /// Has libcurl remember whose the handle is.
    func setTicket(_ ticket: UInt64) {
        // One more, because null is no pointer.
        ccurl_set_pointer(self.easy, CURLOPT_PRIVATE, UnsafeMutableRawPointer(bitPattern: UInt(ticket) + 1))
    }
}

/// The ticket of the transfer that a handle works for; nil when it works for none.
func ticket(of easy: UnsafeMutableRawPointer) -> UInt64? {
    ccurl_get_private(easy).map { UInt64(UInt(bitPattern: $0)) - 1 }
}

extension Duration {
    /// 1 at least (libcurl takes 0 for "no limit"), a day at most.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = self.components
        return max(1, Int(min(seconds, 86_400)) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
