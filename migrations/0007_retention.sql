-- How long history is kept, what was erased, and how autovacuum goes about the tables.

-- Retention -----------------------------------------------------------------------------------------------------------

-- For how many days what is over is kept; null: for ever. A day's partition is dropped when it ended so long ago and nothing of it
-- waits any more. The least: a message may wait for ten days and for its receipt three more.
CREATE TABLE retention (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- With attempts, parts, receipts and conversions; with event_attempts.
    messages      integer CHECK (messages BETWEEN 14 AND 36500),
    events        integer CHECK (events BETWEEN 14 AND 36500),
    verifications integer CHECK (verifications BETWEEN 14 AND 36500)
);
-- A quarter of a year is enough to answer what customers ask of an invoice and of a message, and little enough that numbers do not
-- lie about for ever. A database that is in use already has kept everything so far: nothing of it goes until its operator says so.
INSERT INTO retention (messages, events, verifications)
    SELECT days, days, days FROM (SELECT CASE WHEN EXISTS (SELECT FROM accounts) THEN NULL ELSE 90 END AS days) AS standard;

-- Partitions that Pinpost has begun to drop: what somebody else has detached, to keep it elsewhere say, is not in it and stays.
CREATE TABLE retired_partitions (
    name     text PRIMARY KEY,
    begun_at timestamptz NOT NULL DEFAULT now()
);

-- Erasure -------------------------------------------------------------------------------------------------------------

-- Who had a recipient erased, when, and how much it was. Never who was erased: with a number in hand, and with the master key of the
-- time, it can be shown that this number was.
CREATE TABLE erasures (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Null: of all accounts.
    account_id      integer REFERENCES accounts,
    -- The name of the key of the API that asked; null: the operator.
    api_key         text,
    -- Which master key `recipient_mac` was made with.
    key_id          smallint NOT NULL,
    -- A keyed hash of the number or address.
    recipient_mac   bytea NOT NULL CHECK (octet_length(recipient_mac) = 32),
    begun_at        timestamptz NOT NULL DEFAULT now(),
    -- Null while it runs, and when it was broken off.
    ended_at        timestamptz,
    cancelled       integer NOT NULL DEFAULT 0,
    messages        integer NOT NULL DEFAULT 0,
    verifications   integer NOT NULL DEFAULT 0,
    -- Rows of what a recipient has used up and guessed wrong, of codes that are found by their scope, and of what was looked up.
    others          integer NOT NULL DEFAULT 0,
    -- Messages that were still on their way when it ended.
    under_way       integer NOT NULL DEFAULT 0
);
CREATE INDEX erasures_of_recipient ON erasures (recipient_mac);

-- Partitions ---------------------------------------------------------------------------------------------------------

-- As before, with what autovacuum is told.
CREATE OR REPLACE FUNCTION make_partitions(days_ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    day  date;
    base text;
    name text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('pinpost partitions'));
    FOR day IN
        SELECT d::date FROM generate_series(
            (now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + days_ahead, interval '1 day'
        ) d
    LOOP
        FOREACH base IN ARRAY ARRAY[
            'messages', 'attempts', 'parts', 'receipts', 'verifications', 'events', 'event_attempts', 'conversions'
        ] LOOP
            name := base || '_' || to_char(day, 'YYYYMMDD');
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            -- Made apart and then attached: PARTITION OF would lock the parent against everything, and queue all traffic
            -- up behind the longest transaction; attaching lets readers and writers pass.
            EXECUTE format(
                'CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (%s)', name, base,
                CASE base
                    -- Messages are updated twice, when settled and when delivered: leave room for it on the page. What stays behind
                    -- is cleaned up as fast as it comes.
                    WHEN 'messages' THEN 'fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05, '
                        'autovacuum_vacuum_cost_delay = 0'
                    -- Verifications once or twice, by guesses.
                    WHEN 'verifications' THEN 'fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05, '
                        'autovacuum_vacuum_cost_delay = 0'
                    -- Rows that nobody changes: frozen by the first vacuum that comes by, while they are in memory. Otherwise each
                    -- day that is kept would be read and written once more when its transactions grow old, which is every two
                    -- days at a thousand commits a second.
                    ELSE 'autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_freeze_min_age = 0'
                END
            );
            PERFORM seed_statistics(name, base, day::timestamp AT TIME ZONE 'UTC');
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', base, name,
                first_id_of(day::timestamp AT TIME ZONE 'UTC'), first_id_of((day + 1)::timestamp AT TIME ZONE 'UTC')
            );
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

-- Autovacuum ----------------------------------------------------------------------------------------------------------

-- With little patience, as the migrations before have it. None of what follows keeps readers or writers waiting: to set a
-- parameter takes a lock (SHARE UPDATE EXCLUSIVE) that only a vacuum and other changes of the table wait for.
SET LOCAL lock_timeout = '5s';

-- Queues. Their tail is empty whenever there is little to do; giving it back to the file system would take the table from everybody
-- for a moment, several times a minute, and the next burst would have to ask for it again. Their entries never grow old.
ALTER TABLE outbox SET (vacuum_truncate = off);
ALTER TABLE event_outbox SET (vacuum_truncate = off);
ALTER TABLE standby SET (vacuum_truncate = off);
ALTER TABLE scheduled SET (vacuum_truncate = off, autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE tallies SET (vacuum_truncate = off, autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE scoped_codes SET (vacuum_truncate = off, autovacuum_vacuum_insert_threshold = -1);

-- A day's keys go as the next day's come. By the usual fifth of the table, a tenth of a day's keys would lie about dead.
ALTER TABLE idempotency_keys SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_threshold = -1, vacuum_truncate = off
);
ALTER TABLE unmatched_receipts SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_threshold = -1
);
-- A row of these is updated by each code that is sent or guessed wrong.
ALTER TABLE recipient_limits SET (autovacuum_vacuum_cost_delay = 0);
ALTER TABLE recipient_failures SET (autovacuum_vacuum_cost_delay = 0);
-- Few rows, updated all the time, by heartbeats and by what endpoints answer. With room on the page an update stays there, and the
-- next reader clears up; a fixed number of dead rows has autovacuum see to the rest.
ALTER TABLE workers SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE breakers SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE provider_shares SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE reconciliation SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE guard_revision SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The days that are there, as those that are still to be made.
DO $$
DECLARE
    base text;
    name text;
BEGIN
    FOR base, name IN
        SELECT p.relname, c.relname FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.oid = ANY(ARRAY['attempts', 'parts', 'receipts', 'verifications', 'events', 'event_attempts',
                                'conversions']::regclass[]) AND c.relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %I SET (%s)', name, CASE base
            WHEN 'verifications' THEN 'autovacuum_vacuum_cost_delay = 0' ELSE 'autovacuum_freeze_min_age = 0'
        END);
    END LOOP;
END
$$;
