-- What customers are told (events and the endpoints that they go to), what they pay, and what becomes of their codes: the
-- conversions; and the codes of an API that finds them by account, number and scope.

-- Endpoints ----------------------------------------------------------------------------------------------------------

-- Where customers want to be told of changes. Workers join them at each claim, so that nothing is sent by settings that
-- have changed.
CREATE TABLE endpoints (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id      integer NOT NULL REFERENCES accounts,
    -- What the customer calls it.
    public_id       text NOT NULL,
    -- Whose words it understands: `standard` are our own, signed as Standard Webhooks has it, and are told of everything of their
    -- account; a vendor's are told of the messages that came in by that vendor's API.
    kind            text NOT NULL CHECK (kind IN ('standard', 'infobip', 'bandwidth', 'nexmo')),
    -- Of the kind `bandwidth` the scheme, host and port only: the rest is in each message.
    url             text NOT NULL,
    description     text NOT NULL DEFAULT '',
    -- The types of events that it wants; empty for all.
    types           text[] NOT NULL DEFAULT '{}',
    -- A JSON object of what signs and authenticates, sealed with the master key; null when nothing does.
    secrets         bytea,
    -- A JSON object of names and texts; each kind documents its names.
    settings        text NOT NULL DEFAULT '{}',
    -- Requests at once, from each worker.
    in_flight_limit smallint NOT NULL DEFAULT 8 CHECK (in_flight_limit BETWEEN 1 AND 100),
    -- Null while it is told; else by whom it was switched off: the customer, its own 410, or days of failures.
    disabled        text CHECK (disabled IN ('customer', 'gone', 'failing')),
    disabled_at     timestamptz,
    -- Since when nothing but failures came back; null while it answers.
    failing_since   timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- The row stays, for what it is still to be told must find it to be thrown away.
    deleted_at      timestamptz,
    UNIQUE (account_id, public_id)
);
CREATE UNIQUE INDEX endpoints_by_origin ON endpoints (account_id, url) WHERE kind = 'bandwidth';

-- Not for what workers note of an endpoint's health, which would have every process read everything again.
CREATE TRIGGER endpoints_made AFTER INSERT OR DELETE ON endpoints
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER endpoints_changed AFTER UPDATE OF account_id, public_id, kind, url, types, secrets, settings ON endpoints
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER endpoints_truncated AFTER TRUNCATE ON endpoints
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();

-- Events -------------------------------------------------------------------------------------------------------------

-- A new UUIDv7 (RFC 9562 section 5.7) of this transaction's time, whose last byte is the lane.
CREATE FUNCTION new_id(lane smallint) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7' || substr(r, 14, 17)
            || lpad(to_hex(lane::integer), 2, '0'))::uuid
    FROM (SELECT translate(gen_random_uuid()::text, '-', '') AS r) AS random
$$;

-- The moment that a UUIDv7 was made.
CREATE FUNCTION time_of_id(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)
$$;

-- A change of a message's or a verification's state that an endpoint of its account wants to be told of. Written in the
-- transaction that changes the state, once, however many endpoints there are and whether they are switched on or not.
CREATE TABLE events (
    lane        smallint NOT NULL,
    id          uuid NOT NULL,
    account_id  integer NOT NULL,
    -- Counts the changes of its subject from 1; what nobody wanted to be told of is counted too.
    sequence    smallint NOT NULL,
    -- The message or the verification; which of them the type says.
    subject_id  uuid NOT NULL,
    type        text NOT NULL,
    reason      text,
    -- The vendor's endpoint of a message; or the one that was switched off, in an event that tells of that.
    endpoint_id integer,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (lane, id)
) PARTITION BY RANGE (id);
CREATE INDEX events_of_account ON events (lane, account_id, id);

-- The events that an endpoint is still to be told, a row for each subject, so that at most one of a subject is on its way and
-- they go in their order. Ready: no worker and no time. Held: a worker. Waiting for another try: a time.
CREATE TABLE event_outbox (
    lane        smallint NOT NULL,
    subject_id  uuid NOT NULL,
    endpoint_id integer NOT NULL,
    account_id  integer NOT NULL,
    -- The worker whose heartbeat is the lease.
    worker_id   integer,
    -- At the first of the events; counted at the claim.
    attempt     smallint NOT NULL DEFAULT 0,
    due_at      timestamptz,
    events      uuid[] NOT NULL CHECK (cardinality(events) > 0),
    PRIMARY KEY (lane, subject_id, endpoint_id)
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1
);
-- The claim walks endpoint by endpoint, so that none stands in front of another.
CREATE INDEX event_outbox_ready ON event_outbox (lane, endpoint_id, subject_id) WHERE worker_id IS NULL AND due_at IS NULL;
-- What workers hold, for those who take over from the dead: the table may hold millions that wait.
CREATE INDEX event_outbox_held ON event_outbox (lane, worker_id) WHERE worker_id IS NOT NULL;
CREATE INDEX event_outbox_due ON event_outbox (lane, due_at) WHERE due_at IS NOT NULL;

-- What came of each try to tell an endpoint.
CREATE TABLE event_attempts (
    lane        smallint NOT NULL,
    event_id    uuid NOT NULL,
    endpoint_id integer NOT NULL,
    attempt     smallint NOT NULL,
    worker_id   integer NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('delivered', 'refused', 'unanswered', 'not_sent', 'forbidden', 'dropped')),
    -- The HTTP status; null without an answer.
    status      smallint,
    -- Nothing more is tried.
    is_last     boolean NOT NULL,
    duration    interval NOT NULL,
    settled_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, event_id, endpoint_id, settled_at)
) PARTITION BY RANGE (event_id);

-- Money --------------------------------------------------------------------------------------------------------------

-- Amounts are whole hundred-millionths of the account's currency: the vendors tell prices with eight decimals.

-- What a message costs: a segment of a text, a call, a mail. The longest prefix wins, and among equals the one that names the
-- account, as with routes.
CREATE TABLE prices (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer REFERENCES accounts,
    channel    text NOT NULL CHECK (channel IN ('sms', 'voice', 'email')),
    prefix     text NOT NULL DEFAULT '' CHECK (prefix ~ '^(\+[1-9][0-9]{0,14})?$'),
    price      bigint NOT NULL CHECK (price >= 0),
    -- The mobile country and network code (ITU-T E.212) of the numbers with this prefix, where a price list has it.
    network    text CHECK (network ~ '^[0-9]{3,6}$'),
    UNIQUE NULLS NOT DISTINCT (account_id, channel, prefix)
);
CREATE TRIGGER prices_changed AFTER INSERT OR UPDATE OR DELETE ON prices
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER prices_truncated AFTER TRUNCATE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();

-- What an account has left. One without a row pays afterwards, and nothing is charged or refused. The row is locked once for
-- each batch of an account's messages, for as long as its commit takes.
CREATE TABLE balances (
    account_id integer PRIMARY KEY REFERENCES accounts,
    balance    bigint NOT NULL CHECK (balance >= 0)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What was paid in, or taken out. The name makes one that comes twice count once.
CREATE TABLE top_ups (
    account_id integer NOT NULL REFERENCES accounts,
    name       text NOT NULL,
    amount     bigint NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, name)
);

-- Numbers whose owners want no messages of an account.
CREATE TABLE opt_outs (
    account_id integer NOT NULL REFERENCES accounts,
    recipient  text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, recipient)
);

-- What becomes of codes ----------------------------------------------------------------------------------------------

-- The calling code of a number (ITU-T E.164), with its plus sign; empty for an address.
CREATE FUNCTION calling_code(recipient text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN recipient NOT LIKE '+%' THEN ''
        WHEN substr(recipient, 2, 1) IN ('1', '7') THEN left(recipient, 2)
        WHEN substr(recipient, 2, 2) IN (
            '20', '27', '30', '31', '32', '33', '34', '36', '39', '40', '41', '43', '44', '45', '46', '47', '48', '49',
            '51', '52', '53', '54', '55', '56', '57', '58', '60', '61', '62', '63', '64', '65', '66', '81', '82', '84',
            '86', '90', '91', '92', '93', '94', '95', '98') THEN left(recipient, 3)
        ELSE left(recipient, 4)
    END
$$;

-- Whether a message's recipient did what it was sent for: told by the customer, or seen when its code was right.
CREATE TABLE conversions (
    lane         smallint NOT NULL,
    message_id   uuid NOT NULL,
    account_id   integer NOT NULL,
    provider_id  integer NOT NULL,
    channel      text NOT NULL,
    country      text NOT NULL,
    converted    boolean NOT NULL,
    source       text NOT NULL CHECK (source IN ('reported', 'verified')),
    converted_at timestamptz NOT NULL,
    PRIMARY KEY (lane, message_id)
) PARTITION BY RANGE (message_id);

-- What statements counted, added up into `rates` every few seconds: only inserted, because a row that every batch raised
-- would have all batches wait for each other.
CREATE TABLE tallies (
    lane        smallint NOT NULL,
    account_id  integer NOT NULL,
    provider_id integer NOT NULL,
    channel     text NOT NULL,
    country     text NOT NULL,
    -- In which the messages were accepted, so that what came of them is set against their number.
    hour        timestamptz NOT NULL,
    -- Handed over to the provider; delivered; known not to be; converted, and told not to be.
    sent        integer NOT NULL DEFAULT 0,
    delivered   integer NOT NULL DEFAULT 0,
    undelivered integer NOT NULL DEFAULT 0,
    converted   integer NOT NULL DEFAULT 0,
    unconverted integer NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX tallies_of_lane ON tallies (lane);

CREATE TABLE rates (
    lane        smallint NOT NULL,
    hour        timestamptz NOT NULL,
    account_id  integer NOT NULL,
    provider_id integer NOT NULL,
    channel     text NOT NULL,
    country     text NOT NULL,
    sent        bigint NOT NULL,
    delivered   bigint NOT NULL,
    undelivered bigint NOT NULL,
    converted   bigint NOT NULL,
    unconverted bigint NOT NULL,
    PRIMARY KEY (lane, hour, account_id, provider_id, channel, country)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Codes that are found by account, number and scope, as Bandwidth's are. How old one may be its verifier says, so several
-- live at once; a quarter of an hour ends them all.
CREATE TABLE scoped_codes (
    lane        smallint NOT NULL,
    -- The message that carried it.
    id          uuid NOT NULL,
    account_id  integer NOT NULL,
    recipient   text NOT NULL,
    scope       text NOT NULL,
    application text NOT NULL,
    -- Which master key `mac` was made with.
    key_id      smallint NOT NULL,
    -- A keyed hash of the code.
    mac         bytea NOT NULL CHECK (octet_length(mac) = 32),
    made_at     timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz,
    PRIMARY KEY (lane, account_id, recipient, scope, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX scoped_codes_age ON scoped_codes (lane, made_at);

-- Partitions ---------------------------------------------------------------------------------------------------------

-- As before, with events and what is counted.
CREATE OR REPLACE FUNCTION seed_statistics(name text, base text, day timestamptz) RETURNS void LANGUAGE plpgsql AS $$
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
        WHEN 'verifications' THEN $sample$
            (lane, id, account_id, application_id, template_id, key_id, attempt_limit, allows_reuse, channel, recipient,
             mac, message_id, expires_at, code)
            SELECT 0, id, n % 10, n % 20, n % 20, 1, 10, true, 'sms', n::text, sha256(n::text::bytea), id,
                   now() + n * interval '1 minute', CASE WHEN n % 2 = 0 THEN '\x00'::bytea END
            FROM statistics_sample $sample$
        WHEN 'recipient_failures' THEN $sample$
            (lane, account_id, recipient, failures, failed_at)
            SELECT 0, n % 10, n::text, 1, now() FROM statistics_sample $sample$
        WHEN 'recipient_limits' THEN $sample$
            (lane, account_id, application_id, recipient, sends, send_limit, send_period, check_limit, check_period,
             forget_at)
            SELECT 0, n % 10, n % 20, n::text, 1, 3, '1 day', 1, '3 seconds', now() + n * interval '1 day'
            FROM statistics_sample $sample$
        WHEN 'events' THEN $sample$
            (lane, id, account_id, sequence, subject_id, type, occurred_at)
            SELECT 0, id, n % 10, n % 3, id, 'message.delivered', now() FROM statistics_sample $sample$
        WHEN 'event_attempts' THEN $sample$
            (lane, event_id, endpoint_id, attempt, worker_id, outcome, duration, is_last)
            SELECT 0, id, n % 20, 1, n % 7, 'delivered', '5 ms', true FROM statistics_sample $sample$
        WHEN 'conversions' THEN $sample$
            (lane, message_id, account_id, provider_id, channel, country, converted, source, converted_at)
            SELECT 0, id, n % 10, n % 3, 'sms', '+1', true, 'verified', now() FROM statistics_sample $sample$
        WHEN 'event_outbox' THEN $sample$
            (lane, subject_id, endpoint_id, account_id, worker_id, attempt, due_at, events)
            SELECT 0, id, n % 20, n % 10, CASE WHEN n % 3 = 0 THEN n % 7 END, n % 2,
                   CASE WHEN n % 3 = 1 THEN now() + n * interval '1 minute' END, ARRAY[id] FROM statistics_sample $sample$
        WHEN 'scoped_codes' THEN $sample$
            (lane, id, account_id, recipient, scope, application, key_id, mac)
            SELECT 0, id, n % 10, n::text, '2FA', 'a', 1, sha256(n::text::bytea) FROM statistics_sample $sample$
        WHEN 'tallies' THEN $sample$
            (lane, account_id, provider_id, channel, country, hour, sent)
            SELECT 0, n % 10, n % 3, 'sms', '+1', now(), 1 FROM statistics_sample $sample$
    END;
    EXECUTE 'ANALYZE ' || quote_ident(name);
    EXECUTE 'TRUNCATE ' || quote_ident(name);
    DROP TABLE statistics_sample;
END
$$;

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
                    -- Messages are updated twice, when settled and when delivered: leave room for it on the page.
                    WHEN 'messages' THEN 'fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05, '
                        'autovacuum_vacuum_cost_delay = 0'
                    -- Verifications once or twice, by guesses.
                    WHEN 'verifications' THEN 'fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05'
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
SELECT seed_statistics(name, name, now()) FROM unnest(ARRAY['event_outbox', 'scoped_codes', 'tallies']) AS name;

-- Accounts, messages, verifications -----------------------------------------------------------------------------------

-- Last, behind the advisory lock, and with little patience, as the migration before has it.
SET LOCAL lock_timeout = '5s';
-- By ISO 4217; of prices, of the balance, and of what is told of them.
ALTER TABLE accounts ADD COLUMN currency text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE messages
    -- The vendor's endpoint that is told of this message, and where exactly when each message says so itself.
    ADD COLUMN endpoint_id integer,
    ADD COLUMN callback_url text,
    -- What it costs; null without a price.
    ADD COLUMN price bigint,
    -- Whether the price was taken from a balance, and so can be given back.
    ADD COLUMN charged boolean NOT NULL DEFAULT false,
    ADD COLUMN network text,
    -- Changes of state so far, and the transaction of the latest: by it, RETURNING tells whether it was this one.
    ADD COLUMN sequence smallint NOT NULL DEFAULT 0,
    ADD COLUMN changed_by xid8;
ALTER TABLE verifications ADD COLUMN sequence smallint NOT NULL DEFAULT 0;
