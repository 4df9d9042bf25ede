-- Two-factor verification: applications and their templates, codes on their way, what recipients have used up, and what
-- customers show instead of a key in the vendors' APIs.

-- Configuration ------------------------------------------------------------------------------------------------------

-- User names with passwords and the like. Keys that stand alone are in `api_keys`, whichever vendor's API they are used in.
CREATE TABLE credentials (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    vendor     text NOT NULL CHECK (vendor IN ('infobip', 'bandwidth', 'nexmo')),
    -- The user name, or the key that goes with a secret.
    name       text NOT NULL,
    -- A JSON object of names and secrets, sealed with the master key: some sign, so a hash would not do.
    secrets    bytea NOT NULL,
    -- A JSON object of names and texts, such as the vendor's number of the account.
    settings   text NOT NULL DEFAULT '{}',
    scopes     text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    UNIQUE (vendor, name)
);

CREATE TRIGGER credentials_changed AFTER INSERT OR UPDATE OR DELETE ON credentials
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER credentials_truncated AFTER TRUNCATE ON credentials
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();

-- Customers make and change these at any time, so processes look them up and do not keep all of them: what is kept is held
-- against `revision` by the statement that uses it.
CREATE TABLE applications (
    id                     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id             integer NOT NULL REFERENCES accounts,
    -- What customers call it: ours are 32 hexadecimal digits; one that moved here keeps the id that it had.
    public_id              text NOT NULL,
    name                   text NOT NULL,
    enabled                boolean NOT NULL,
    attempt_limit          smallint NOT NULL CHECK (attempt_limit BETWEEN 1 AND 100),
    allows_reuse           boolean NOT NULL,
    -- Periods and limits as customers write them, `15m` and `3/1d`: they get back what they wrote.
    time_to_live           text NOT NULL,
    check_limit            text NOT NULL,
    application_send_limit text NOT NULL,
    recipient_send_limit   text NOT NULL,
    send_limit             smallint,
    resend_cooldown        text,
    -- Raised by every change of the application and of its templates.
    revision               integer NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, public_id)
);

CREATE TABLE templates (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id     integer NOT NULL REFERENCES accounts,
    application_id integer NOT NULL REFERENCES applications,
    public_id      text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('text', 'email')),
    -- A JSON object of the fields of a template in our own API.
    definition     text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, public_id)
);
CREATE INDEX templates_of_application ON templates (application_id, id);

-- The words of e-mails whose templates name a number only, as the vendor's do.
CREATE TABLE email_contents (
    account_id integer NOT NULL REFERENCES accounts,
    number     bigint NOT NULL,
    subject    text NOT NULL,
    text       text NOT NULL,
    PRIMARY KEY (account_id, number)
);

-- What of an application's send limit is given out. API processes take slices of it, so that the row is touched once for many
-- codes; what a process took and did not use it gives back.
CREATE TABLE application_sends (
    application_id integer PRIMARY KEY REFERENCES applications,
    -- When the running period began.
    since          timestamptz NOT NULL,
    taken          integer NOT NULL,
    -- The latest that was given out; RETURNING can tell a process what it got and not what was there before.
    slice          integer NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Verifications ------------------------------------------------------------------------------------------------------

-- One code on its way. The lane follows from the recipient, so that a verification and its recipient's counters are on one
-- shard. `state` and `attempts` are in no index: a guess stays on its page (HOT), but for the one that ends the code.
CREATE TABLE verifications (
    lane           smallint NOT NULL,
    id             uuid NOT NULL,
    account_id     integer NOT NULL,
    application_id integer NOT NULL,
    template_id    integer NOT NULL,
    -- Which master key `mac` was made with.
    key_id         smallint NOT NULL,
    attempts       smallint NOT NULL DEFAULT 0,
    attempt_limit  smallint NOT NULL,
    sends          smallint NOT NULL DEFAULT 1,
    allows_reuse   boolean NOT NULL,
    channel        text NOT NULL CHECK (channel IN ('sms', 'voice', 'email')),
    state          text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'verified', 'exhausted')),
    recipient      text NOT NULL,
    -- A keyed hash of the code; see `CodeMAC`.
    mac            bytea NOT NULL CHECK (octet_length(mac) = 32),
    -- The latest message that carried the code.
    message_id     uuid NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT now(),
    sent_at        timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    checked_at     timestamptz,
    verified_at    timestamptz,
    -- The code and what its text was filled with, for a resend; sealed, and null from the statement on that ends its use.
    code           bytea,
    PRIMARY KEY (lane, id)
) PARTITION BY RANGE (id);

CREATE INDEX verifications_of_recipient ON verifications (lane, account_id, recipient, id);
-- What is left to wipe when its time is over.
CREATE INDEX verifications_with_code ON verifications (lane, expires_at) WHERE code IS NOT NULL;

-- Guesses that failed in a row, over all of an account's verifications of a recipient, resends and new codes included. A right
-- guess deletes the row, and so does a year without a failure.
CREATE TABLE recipient_failures (
    lane         smallint NOT NULL,
    account_id   integer NOT NULL,
    failures     smallint NOT NULL,
    failed_at    timestamptz NOT NULL,
    -- Until then nothing is evaluated.
    locked_until timestamptz,
    recipient    text NOT NULL,
    PRIMARY KEY (lane, account_id, recipient)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

-- What a recipient has used of an application's limits: sends and checks since each period began. The limits are those of
-- the application when it last sent.
CREATE TABLE recipient_limits (
    lane           smallint NOT NULL,
    account_id     integer NOT NULL,
    application_id integer NOT NULL,
    sends          integer NOT NULL,
    send_limit     integer NOT NULL,
    checks         integer NOT NULL DEFAULT 0,
    check_limit    integer NOT NULL,
    sends_since    timestamptz NOT NULL DEFAULT now(),
    checks_since   timestamptz NOT NULL DEFAULT now(),
    send_period    interval NOT NULL,
    check_period   interval NOT NULL,
    -- In whole days, so that it is in the index and yet seldom changes.
    forget_at      timestamptz NOT NULL,
    recipient      text NOT NULL,
    PRIMARY KEY (lane, account_id, recipient, application_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX recipient_limits_to_forget ON recipient_limits (lane, forget_at);

-- Partitions ---------------------------------------------------------------------------------------------------------

-- As before, with verifications.
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
        FOREACH base IN ARRAY ARRAY['messages', 'attempts', 'parts', 'receipts', 'verifications'] LOOP
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
SELECT seed_statistics(name, name, now()) FROM unnest(ARRAY['recipient_failures', 'recipient_limits']) AS name;

-- Messages -----------------------------------------------------------------------------------------------------------

-- Those that carry a code: which verification, and whether the customer wants reports of its delivery.
--
-- Last, and behind the advisory lock that `make_partitions` has taken, since it wants the table to itself for a moment: while
-- something long reads it, a backup say, everybody else would wait behind this. Then nothing is changed, and it is to be tried
-- again later.
SET LOCAL lock_timeout = '5s';
ALTER TABLE messages ADD COLUMN verification_id uuid, ADD COLUMN tracked boolean NOT NULL DEFAULT false;
