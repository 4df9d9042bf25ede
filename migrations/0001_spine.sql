-- The spine: accounts, providers and routes; messages on their way and their history.
--
-- Every hot table leads with `lane`, the last byte of the message's id, so that the same statements run on a cluster
-- that is distributed by lane. History is partitioned by day: message ids are UUIDv7, so a range of ids is a range of
-- time, a look-up by id finds its one partition, and the end of retention drops a table instead of deleting rows.

-- What processes keep in memory -------------------------------------------------------------------------------------

-- Processes look at `revision` every two seconds and read the tables below again when it moved: a revoked key is
-- refused everywhere within five seconds, however it was revoked, because triggers raise it: once a transaction, and only
-- when a row was written, so that a configuration applied again leaves it where it is.
CREATE TABLE configuration (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL DEFAULT 1
);
INSERT INTO configuration DEFAULT VALUES;

CREATE FUNCTION raise_configuration_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE configuration SET revision = revision + 1 WHERE xmin <> pg_current_xact_id()::xid;
    RETURN NULL;
END
$$;

CREATE TABLE accounts (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    name       text NOT NULL,
    -- SHA-256 of the key. A fast hash is right: the keys have 256 bits of chance, so there is nothing to guess.
    digest     bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    scopes     text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    UNIQUE (account_id, name)
);

CREATE TABLE providers (
    id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name             text NOT NULL UNIQUE,
    kind             text NOT NULL,
    url              text NOT NULL,
    -- A JSON object of names and secrets, sealed with the master key.
    credentials      bytea NOT NULL,
    sender           text,
    -- A JSON object of names and texts; each driver documents its names.
    settings         text NOT NULL DEFAULT '{}',
    in_flight_limit  integer NOT NULL CHECK (in_flight_limit BETWEEN 1 AND 10000),
    rate_limit       integer NOT NULL CHECK (rate_limit BETWEEN 1 AND 1000000),
    timeout          interval NOT NULL,
    enabled          boolean NOT NULL DEFAULT true,
    created_at       timestamptz NOT NULL DEFAULT now()
);

-- The longest prefix wins, and among equals the one that names the account.
CREATE TABLE routes (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  integer REFERENCES accounts,
    channel     text NOT NULL CHECK (channel IN ('sms', 'voice', 'email')),
    prefix      text NOT NULL DEFAULT '' CHECK (prefix ~ '^(\+[1-9][0-9]{0,14})?$'),
    provider_id integer NOT NULL REFERENCES providers,
    UNIQUE NULLS NOT DISTINCT (account_id, channel, prefix)
);

CREATE TRIGGER accounts_changed AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER accounts_truncated AFTER TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER api_keys_changed AFTER INSERT OR UPDATE OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER api_keys_truncated AFTER TRUNCATE ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER providers_changed AFTER INSERT OR UPDATE OR DELETE ON providers
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER providers_truncated AFTER TRUNCATE ON providers
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER routes_changed AFTER INSERT OR UPDATE OR DELETE ON routes
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER routes_truncated AFTER TRUNCATE ON routes
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();

-- Messages -----------------------------------------------------------------------------------------------------------

-- How far a message has come. A receipt or a settlement may only raise it; see `MessageState` for the picture.
CREATE FUNCTION message_rank(state text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE state
        WHEN 'queued' THEN 0 WHEN 'sending' THEN 10 WHEN 'unknown' THEN 15 WHEN 'accepted' THEN 20
        WHEN 'undelivered' THEN 50 WHEN 'failed' THEN 50 WHEN 'expired' THEN 50 WHEN 'cancelled' THEN 50
        WHEN 'delivered' THEN 60
    END::smallint
$$;

-- The record. `state` is in no index, so that settling a message and applying its receipt stay on the same page (HOT).
-- There is no foreign key here or below: each would be a look-up and a row lock for every message.
CREATE TABLE messages (
    lane            smallint NOT NULL,
    id              uuid NOT NULL,
    account_id      integer NOT NULL,
    provider_id     integer NOT NULL,
    priority        smallint NOT NULL CHECK (priority BETWEEN 0 AND 2),
    -- Segments: as counted when the message was accepted, then as the provider says.
    parts           smallint NOT NULL DEFAULT 1,
    parts_delivered smallint NOT NULL DEFAULT 0,
    -- The series of attempts that is on its way; reports of failure in an earlier one change nothing.
    series          smallint NOT NULL DEFAULT 1,
    -- A `delivered` came after another final state had been told.
    corrected       boolean NOT NULL DEFAULT false,
    channel         text NOT NULL CHECK (channel IN ('sms', 'voice', 'email')),
    state           text NOT NULL DEFAULT 'queued' CHECK (state IN
        ('queued', 'sending', 'accepted', 'unknown', 'delivered', 'undelivered', 'failed', 'expired', 'cancelled')),
    reason          text,
    recipient       text NOT NULL,
    sender          text,
    reference       text,
    metadata        text,
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    send_at         timestamptz,
    expires_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL DEFAULT now(),
    -- Sealed with the master key; null from the statement on that ends its use.
    body            bytea,
    PRIMARY KEY (lane, id)
) PARTITION BY RANGE (id);

-- For GET /v1/messages, newest first: all of an account's, those to a recipient, those of a reference.
CREATE INDEX messages_of_account ON messages (lane, account_id, id);
CREATE INDEX messages_to_recipient ON messages (lane, account_id, recipient, id);
CREATE INDEX messages_of_reference ON messages (lane, account_id, reference, id) WHERE reference IS NOT NULL;

-- Messages ready to be sent, and those that a worker holds: nothing else, so that it stays small and narrow.
CREATE TABLE outbox (
    lane        smallint NOT NULL,
    id          uuid NOT NULL,
    account_id  integer NOT NULL,
    provider_id integer NOT NULL,
    -- The worker whose heartbeat is the lease; null while nobody holds the message.
    worker_id   integer,
    priority    smallint NOT NULL,
    -- Counted at the claim, so that a message that kills its worker still reaches the limit.
    attempt     smallint NOT NULL DEFAULT 0,
    -- Attempts that the provider should take for one and the same share a series.
    series      smallint NOT NULL DEFAULT 1,
    -- How often in a row a provider has asked us to slow down; each wait is longer, and none is an attempt.
    waits       smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (lane, id)
) WITH (
    -- Every row lives for seconds: dead rows must go as fast as they come.
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1
);

-- The claim walks provider by provider and account by account, so that neither a slow provider nor a large account
-- stands in front of another, and takes each account's oldest first.
CREATE INDEX outbox_ready ON outbox (lane, priority, provider_id, account_id, id) WHERE worker_id IS NULL;

-- Messages that are not due: later sends and retries. Millions of them cost the claim nothing.
CREATE TABLE scheduled (
    lane        smallint NOT NULL,
    id          uuid NOT NULL,
    account_id  integer NOT NULL,
    provider_id integer NOT NULL,
    priority    smallint NOT NULL,
    attempt     smallint NOT NULL DEFAULT 0,
    series      smallint NOT NULL DEFAULT 1,
    waits       smallint NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    PRIMARY KEY (lane, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX scheduled_due ON scheduled (lane, due_at);

-- One run of a worker process. Its heartbeat is the lease of everything that it holds.
CREATE TABLE workers (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL,
    -- How long after its last heartbeat it counts as lost, by its own setting: others may have another.
    lease        interval NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    -- Set when the lease ran out; such a worker claims and settles nothing more.
    lost_at      timestamptz
);

-- What came of each attempt; written when it is settled. An attempt whose worker died leaves no row here but counts.
CREATE TABLE attempts (
    lane        smallint NOT NULL,
    message_id  uuid NOT NULL,
    attempt     smallint NOT NULL,
    series      smallint NOT NULL,
    provider_id integer NOT NULL,
    worker_id   integer NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('accepted', 'refused', 'not_sent', 'unanswered', 'expired', 'spent',
        'needless')),
    reason      text NOT NULL,
    code        text NOT NULL DEFAULT '',
    -- How long the provider took.
    duration    interval NOT NULL,
    settled_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, message_id, settled_at)
) PARTITION BY RANGE (message_id);

-- The ids that a provider gave a message's parts. Only for providers that do not go by the id we chose.
CREATE TABLE parts (
    lane        smallint NOT NULL,
    part        text NOT NULL,
    message_id  uuid NOT NULL,
    provider_id integer NOT NULL,
    number      smallint NOT NULL,
    PRIMARY KEY (lane, part, message_id)
) PARTITION BY RANGE (message_id);

-- Everything that providers reported, once each.
CREATE TABLE receipts (
    lane        smallint NOT NULL,
    message_id  uuid NOT NULL,
    part        text NOT NULL,
    status      text NOT NULL,
    code        text NOT NULL,
    provider_id integer NOT NULL,
    state       text NOT NULL,
    reason      text NOT NULL,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, message_id, part, status, code)
) PARTITION BY RANGE (message_id);

-- Receipts that name no message we know yet: one that overtook its settlement, and did not echo our reference.
CREATE TABLE unmatched_receipts (
    lane           smallint NOT NULL DEFAULT 0,
    provider_id    integer NOT NULL,
    part           text NOT NULL,
    status         text NOT NULL,
    code           text NOT NULL,
    state          text NOT NULL,
    reason         text NOT NULL,
    covers_message boolean NOT NULL,
    occurred_at    timestamptz,
    received_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, provider_id, part, status, code)
);
CREATE INDEX unmatched_receipts_age ON unmatched_receipts (lane, received_at);

-- Answers given under an `Idempotency-Key`, kept for a day. The lane is that of the messages accepted with it.
CREATE TABLE idempotency_keys (
    lane        smallint NOT NULL,
    account_id  integer NOT NULL,
    key         text NOT NULL,
    -- SHA-256 of the request: the same key with another body is refused.
    fingerprint bytea NOT NULL,
    ids         uuid[] NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, account_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (lane, accepted_at);

-- Partitions ---------------------------------------------------------------------------------------------------------

-- The smallest UUIDv7 of a moment.
CREATE FUNCTION first_id_of(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Gives a new table the statistics that it will have in use: one lane, ids spread over the day, few workers.
--
-- Without any, PostgreSQL expects an equality on `lane` to leave one row in two hundred, and joins a batch of five
-- hundred to what it takes for a handful by comparing everything with everything, until autovacuum has come by. The rows
-- are gone again before anybody sees them; the statistics stay until there are real ones.
CREATE FUNCTION seed_statistics(name text, base text, day timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE IF NOT EXISTS statistics_sample (n integer, id uuid);
    TRUNCATE statistics_sample;
    INSERT INTO statistics_sample
        SELECT n, first_id_of(day + n * interval '4 minutes') FROM generate_series(0, 359) AS n;
    EXECUTE 'INSERT INTO ' || quote_ident(name) || CASE base
        WHEN 'messages' THEN $sample$
            (lane, id, account_id, provider_id, priority, channel, state, recipient, expires_at)
            SELECT 0, id, n % 10, n % 3, n % 3, 'sms', 'delivered', n::text, now() FROM statistics_sample $sample$
        WHEN 'attempts' THEN $sample$
            (lane, message_id, attempt, series, provider_id, worker_id, outcome, reason, duration)
            SELECT 0, id, 1, 1, n % 3, n % 7, 'accepted', 'accepted', '5 ms' FROM statistics_sample $sample$
        WHEN 'parts' THEN $sample$
            (lane, part, message_id, provider_id, number)
            SELECT 0, n::text, id, n % 3, 1 FROM statistics_sample $sample$
        WHEN 'receipts' THEN $sample$
            (lane, message_id, part, status, code, provider_id, state, reason)
            SELECT 0, id, '', 'delivered', '0', n % 3, 'delivered', 'ok' FROM statistics_sample $sample$
        WHEN 'outbox' THEN $sample$
            (lane, id, account_id, provider_id, worker_id, priority, attempt)
            SELECT 0, id, n % 10, n % 3, CASE WHEN n % 2 = 0 THEN n % 7 END, n % 3, n % 2 FROM statistics_sample $sample$
        WHEN 'scheduled' THEN $sample$
            (lane, id, account_id, provider_id, priority, attempt, due_at)
            SELECT 0, id, n % 10, n % 3, n % 3, n % 2, now() + n * interval '1 minute' FROM statistics_sample $sample$
    END;
    EXECUTE 'ANALYZE ' || quote_ident(name);
    EXECUTE 'TRUNCATE ' || quote_ident(name);
    DROP TABLE statistics_sample;
END
$$;

-- Makes the partitions of the days from yesterday to `days_ahead` from today, in UTC; those that exist are left alone.
-- Yesterday's is for a process whose clock is behind at midnight. One process at a time makes them: `pinpost migrate`
-- and every worker, hourly, under an advisory lock.
CREATE FUNCTION make_partitions(days_ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
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
        FOREACH base IN ARRAY ARRAY['messages', 'attempts', 'parts', 'receipts'] LOOP
            name := base || '_' || to_char(day, 'YYYYMMDD');
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            -- Made apart and then attached: PARTITION OF would lock the parent against everything, and queue all traffic
            -- up behind the longest transaction; attaching lets readers and writers pass.
            EXECUTE format(
                'CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (%s)', name, base,
                -- Messages are updated twice, when settled and when delivered: leave room for it on the page.
                CASE base
                    WHEN 'messages' THEN 'fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05, '
                        'autovacuum_vacuum_cost_delay = 0'
                    ELSE 'autovacuum_vacuum_insert_scale_factor = 0.2'
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

SELECT make_partitions(7);
SELECT seed_statistics(name, name, now()) FROM unnest(ARRAY['outbox', 'scheduled']) AS name;

-- Planner -------------------------------------------------------------------------------------------------------------

-- What is looked up by key here was written moments ago and is in memory: reading it out of order costs nothing more. With
-- the default, made for disks with heads, PostgreSQL prefers to read a hundred thousand rows in order to looking up five
-- hundred. Compiling (JIT) never pays for statements that run for milliseconds. Set for the database, because through a
-- pooler a session cannot keep settings of its own; whoever may not set them is told in the README what to ask for.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET random_page_cost = 0.1', current_database());
    EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'random_page_cost and jit are left as they are: only the owner of the database may set them';
END
$$;
