import Postgres

/// How prepaid accounts pay for what a statement stores: the part that all statements that store messages have in common.
///
/// An account is prepaid when it has a row in `balances`. What it cannot pay for is not stored, and what is stored is paid for in
/// the same statement, so the balance is never below zero however many processes store at once. A statement does it so:
///
/// 1. A CTE `costs (n, account_id, cost)` says what is asked for: a row for each request that has a price, `n` being its place.
/// 2. ``payments`` locks the balances and adds the CTE `payments (n, account_id, cost, payment)`, a row for each of those
///    whose account is prepaid. `payment` is `paid`; `unpaid` for what alone costs more than there is; or `again`: what goes
///    before it has to be stored or refused first. Nothing but what is paid or in no row may be stored. The first of an
///    account that it can pay for is paid, so of those that come again some are decided each time.
/// 3. A CTE `due (account_id, cost)` says which of the paid ones are stored: others may be refused for something else.
/// 4. ``charge`` takes that away, once for each account, and adds the CTE `charged (account_id, balance)`, what is left.
///
/// Where nothing has a price and where nobody is prepaid, no row is locked and none is written.
///
/// Locks: balances are locked in the order of their accounts, all of a statement before it locks anything else that another
/// statement may wait for, but for verifications, which ``Store/send(_:now:)`` locks first. Whoever holds a balance may so
/// wait for a recipient's limits and for an idempotency key, and nobody who holds one of these ever waits for a balance.
enum Charging {
    /// The rows are judged as they are once locked: while this waited, another statement may have spent what there was. The
    /// window has all of them locked before the first is judged.
    static let payments: SQL.Fragment = """
        funds AS MATERIALIZED (
            SELECT b.account_id, b.balance, count(*) OVER () AS count
            FROM (SELECT DISTINCT account_id FROM costs ORDER BY account_id) c
            CROSS JOIN LATERAL (
                SELECT account_id, balance FROM balances WHERE account_id = c.account_id FOR UPDATE
            ) b
        ), payments AS MATERIALIZED (
            SELECT c.n, c.account_id, c.cost,
                   CASE
                       WHEN c.cost > f.balance THEN 'unpaid'
                       -- One that nobody could pay for stands in nobody's way.
                       WHEN sum(c.cost) FILTER (WHERE c.cost <= f.balance)
                           OVER (PARTITION BY c.account_id ORDER BY c.n) <= f.balance THEN 'paid'
                       ELSE 'again'
                   END AS payment
            FROM costs c JOIN funds f USING (account_id)
            WHERE f.count > 0
        )
        """

    /// From the balance as it was locked, and not from the row's own: what an UPDATE makes of the row as it was when the statement
    /// began is held against the CHECK, before it notices that somebody has paid in since.
    static let charge: SQL.Fragment = """
        totals AS MATERIALIZED (
            SELECT account_id, sum(cost)::bigint AS cost FROM due GROUP BY account_id
        ), charged AS (
            UPDATE balances b SET balance = f.balance - t.cost FROM totals t JOIN funds f USING (account_id)
            WHERE b.account_id = t.account_id
            RETURNING b.account_id, b.balance
        )
        """
}
