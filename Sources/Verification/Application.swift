/// How an application's codes behave. The defaults are the vendor's (dialects.md section 2.2).
public struct ApplicationSettings: Sendable, Hashable {
    public var name: String
    /// A disabled application starts no verification; those under way go on.
    public var isEnabled = true
    /// Guesses at one code that are evaluated.
    public var attemptLimit: Int16 = 10
    /// Whether a code that was right stays right until its time is over.
    public var allowsReuse = true
    /// Of a code, from when it was made; a resend does not lengthen it.
    public var timeToLive = Period("15m")!  // By the grammar, as the four below.
    /// Guesses for one recipient, whatever their outcome.
    public var checkLimit = RateLimit("1/3s")!
    public var applicationSendLimit = RateLimit("10000/1d")!
    public var recipientSendLimit = RateLimit("3/1d")!
    /// Of one code, the first sending included. Nil, as the vendor has it: no more than the send limits.
    public var sendLimit: Int16?
    /// Between two sendings of one code. Nil, as the vendor has it: none.
    public var resendCooldown: Period?

    public static let nameCharacters = 1...255
    /// More would pass ``FailurePolicy/hardLimit`` with one code.
    public static let attemptLimits: ClosedRange<Int64> = 1...100
    public static let sendLimits: ClosedRange<Int64> = 1...100

    public init(name: String) { self.name = name }
}

/// What becomes of a recipient whose guesses keep failing, over all its verifications: the count begins anew with a right
/// guess and with nothing else (RFC 4226 section 7.3), but for ``memory``.
public enum FailurePolicy {
    /// A recipient who has not failed for so long is a stranger again.
    public static let memory = Duration.seconds(365 * 86_400)
    /// From so many failures in a row on, each is followed by a wait. Three codes of ten attempts each, which is what the
    /// vendor's defaults allow a day, pass without one.
    public static let softLimit: Int16 = 30
    /// The first wait; each is twice as long as the one before.
    public static let firstWait = Duration.seconds(30)
    public static let longestWait = Duration.seconds(3600)
    /// After so many in a row nothing is evaluated until the recipient is unlocked (NIST SP 800-63B section 5.2.2: no more
    /// than 100 consecutive failed attempts).
    public static let hardLimit: Int16 = 100
}
