/// When a statement is planned, and by which of the planner's means.
enum Planning: Sendable {
    case eachTime
    case once
    /// Without reading tables whole, and anew after ``lifetime``.
    case onceForLookUps

    /// By so much a plan lags behind the tables; planned so seldom, even the largest statement costs next to nothing.
    static let lifetime = Duration.milliseconds(500)
    /// A statement that comes so long after the one before is not prepared: it would be planned anew in any case.
    static let seldom = Duration.milliseconds(750)

    /// Gives a session what its statements of this kind are planned by, whatever it had before.
    ///
    /// Left to itself PostgreSQL weighs a plan for any values against one for these, and the price of the first grows with each
    /// partition: after a month of history it would plan every statement anew, which takes several times what carrying it out
    /// does. A statement that is not to be planned once must not find that setting either: it holds for unnamed ones too.
    var settings: String {
        switch self {
        case .eachTime: Self.reset
        case .once: "\(Self.reset); SET plan_cache_mode = force_generic_plan"
        case .onceForLookUps:
            // A bitmap has no order: where the planner expects few rows it would read all of a queue to sort it, and take the first.
            // What is switched off costs ten thousand million, at which PostgreSQL would begin to compile.
            """
            SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off;
            SET enable_mergejoin = off; SET jit = off
            """
        }
    }

    private static let reset = """
        RESET plan_cache_mode; RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_mergejoin; RESET jit
        """
}
