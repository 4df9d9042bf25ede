import Postgres

// What every statement that changes a state has in common: customers are told, and what became of codes is counted, in
// the same transaction.
extension Store {
    /// The number of the transaction, in a CTE of its own: what changes rows on another server may ask for nothing that differs from
    /// server to server.
    static let thisTransaction: SQL.Fragment = "this AS MATERIALIZED (SELECT pg_current_xact_id() AS number)"

    /// What a statement that changes messages returns of each, in a CTE named `moved` that has ``thisTransaction`` in its FROM; see
    /// ``tellingOfMessages``. Whether it changed is told right as long as a transaction has one statement that changes a message.
    static let movedMessage: SQL.Fragment = """
        m.lane, m.id, m.account_id, m.provider_id, m.channel, m.recipient, m.accepted_at, m.endpoint_id, m.price, m.charged,
        m.state, m.reason, m.sequence, m.changed_by IS NOT DISTINCT FROM this.number AS changed
        """

    /// Behind `moved`: what has happened to messages, for ``telling``, and counts for the rates. Handing over is counted where it is
    /// settled.
    static let tellingOfMessages: SQL.Fragment = """
        happened AS MATERIALIZED (
            SELECT lane, id AS subject_id, account_id, endpoint_id, 'message.' || state AS type, reason, sequence
            FROM moved WHERE changed
        ), counted AS (
            INSERT INTO tallies (lane, account_id, provider_id, channel, country, hour, delivered, undelivered)
            SELECT lane, account_id, provider_id, channel, calling_code(recipient),
                   date_trunc('hour', accepted_at, 'UTC'), count(*) FILTER (WHERE state = 'delivered'),
                   count(*) FILTER (WHERE state = 'undelivered')
            FROM moved WHERE changed AND state IN ('delivered', 'undelivered')
            GROUP BY 1, 2, 3, 4, 5, 6
        )
        """

    /// Behind `carried (lane, message_id, account_id, provider_id, channel, country, hour)`, the messages whose codes were right
    /// just now, and `moment`: their conversions, and counts for the rates.
    static let convertingCarried: SQL.Fragment = """
        converted AS (
            INSERT INTO conversions (lane, message_id, account_id, provider_id, channel, country, converted, source,
                                     converted_at)
            SELECT lane, message_id, account_id, provider_id, channel, country, true, 'verified', moment.now
            FROM carried, moment
            -- What the customer has reported stands.
            ON CONFLICT DO NOTHING
            RETURNING lane, message_id
        ), tallied AS (
            INSERT INTO tallies (lane, account_id, provider_id, channel, country, hour, converted)
            SELECT lane, account_id, provider_id, channel, country, hour, count(*)
            FROM carried JOIN converted USING (lane, message_id) GROUP BY 1, 2, 3, 4, 5, 6
        )
        """

    /// Behind `happened`, changes of state: an event for each that an endpoint of its account wants to be told of, and an entry
    /// for each endpoint that is not switched off.
    ///
    /// The entry of a subject and an endpoint may be there already, and even be on its way: then the event is appended,
    /// which waits for whoever settles it at the moment. So nothing is lost between the last event's end and this one.
    static let telling: SQL.Fragment = """
        noted AS (
            INSERT INTO events (lane, id, account_id, sequence, subject_id, type, reason, endpoint_id, occurred_at)
            SELECT lane, new_id(lane), account_id, sequence, subject_id, type, reason, endpoint_id, now()
            FROM happened h
            WHERE EXISTS (
                SELECT FROM endpoints e
                WHERE e.account_id = h.account_id AND (e.kind = 'standard' OR e.id = h.endpoint_id)
                  AND (e.types = '{}' OR h.type = ANY(e.types)) AND e.deleted_at IS NULL
            )
            RETURNING lane, id, account_id, subject_id, type, endpoint_id
        ), entered AS (
            INSERT INTO event_outbox AS o (lane, subject_id, endpoint_id, account_id, events)
            SELECT n.lane, n.subject_id, e.id, n.account_id, ARRAY[n.id]
            FROM noted n
            JOIN endpoints e ON e.account_id = n.account_id AND (e.kind = 'standard' OR e.id = n.endpoint_id)
                AND (e.types = '{}' OR n.type = ANY(e.types)) AND e.disabled IS NULL
            ORDER BY n.subject_id, e.id
            ON CONFLICT (lane, subject_id, endpoint_id) DO UPDATE SET events = o.events || excluded.events
            RETURNING 1
        )
        """
}
