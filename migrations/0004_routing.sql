-- Routes to several providers, and what is known of their condition; what a message needs to go on to the next.

-- The operator's own reading of the provider's codes, over the built-in table; a line a code, as CSV.
ALTER TABLE providers
    ADD COLUMN codes text NOT NULL DEFAULT '',
    -- Whether `rate_limit` counts messages or the segments of them; null as is usual for its kind.
    ADD COLUMN rate_unit text CHECK (rate_unit IN ('messages', 'segments')),
    -- A code that may go elsewhere does so when this provider has not answered for so long.
    ADD COLUMN slow_after interval NOT NULL DEFAULT '1.2 s' CHECK (slow_after BETWEEN '50 ms' AND '60 s'),
    -- How long its receipts may take; after it, what has none ends as unknown. Null as is usual for its kind.
    ADD COLUMN receipt_window interval CHECK (receipt_window BETWEEN '1 min' AND '8 days');

-- A country is two letters by ISO 3166; it stands for the prefixes of its numbers, so a route has one or the other.
ALTER TABLE routes
    ADD COLUMN country text CHECK (country IS NULL OR (country ~ '^[A-Z]{2}$' AND prefix = '')),
    ADD COLUMN sender text,
    ADD COLUMN priority smallint CHECK (priority BETWEEN 0 AND 2),
    -- Whether the targets share the messages by weight; otherwise the first that is well takes all.
    ADD COLUMN weighted boolean NOT NULL DEFAULT false,
    -- How long a code that a provider took may be without a receipt until it goes on to the next target.
    ADD COLUMN silence_limit interval CHECK (silence_limit BETWEEN '5 s' AND '1 hour'),
    DROP CONSTRAINT routes_account_id_channel_prefix_key,
    ADD CONSTRAINT routes_place UNIQUE NULLS NOT DISTINCT (account_id, channel, prefix, country, sender, priority);

-- In the order of their positions. `routes.provider_id` stays the first of them, for processes of the version before.
CREATE TABLE route_targets (
    route_id    integer NOT NULL REFERENCES routes ON DELETE CASCADE,
    position    smallint NOT NULL CHECK (position BETWEEN 0 AND 15),
    provider_id integer NOT NULL REFERENCES providers,
    channel     text NOT NULL CHECK (channel IN ('sms', 'voice', 'email')),
    -- At rest, and between which bounds the measured delivery may move it.
    weight      integer NOT NULL CHECK (weight BETWEEN 0 AND 1000),
    weight_low  integer NOT NULL CHECK (weight_low BETWEEN 0 AND weight),
    weight_high integer NOT NULL CHECK (weight_high BETWEEN weight AND 1000),
    PRIMARY KEY (route_id, position),
    UNIQUE (route_id, provider_id)
);
INSERT INTO route_targets (route_id, position, provider_id, channel, weight, weight_low, weight_high)
    SELECT id, 0, provider_id, channel, 100, 100, 100 FROM routes;
CREATE TRIGGER route_targets_changed AFTER INSERT OR UPDATE OR DELETE ON route_targets
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER route_targets_truncated AFTER TRUNCATE ON route_targets
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();

-- Where the measured delivery has moved the weights to; no row: at rest. Not a part of the configuration, which would have every
-- process read all of it again each minute.
CREATE TABLE route_weights (
    route_id    integer NOT NULL REFERENCES routes ON DELETE CASCADE,
    provider_id integer NOT NULL,
    weight      integer NOT NULL,
    moved_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (route_id, provider_id)
);

-- Breakers that are not closed, of a provider and the countries of one calling code. Whoever sees a provider fail opens one for all.
CREATE TABLE breakers (
    provider_id integer NOT NULL,
    country     text NOT NULL,
    -- Open: nothing goes there until then, and then probes. Null: ramping up since `changed_at`, after probes that went well.
    open_until  timestamptz,
    -- How often in a row it has been opened; each time is longer.
    openings    smallint NOT NULL,
    reason      text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider_id, country)
) WITH (fillfactor = 50);

-- What each worker may send a second of a provider's rate. A row is written by its own worker only, twice a second; the sum of
-- those that have not lapsed is never above the rate.
CREATE TABLE provider_shares (
    provider_id integer NOT NULL,
    worker_id   integer NOT NULL,
    share       integer NOT NULL,
    until       timestamptz NOT NULL,
    PRIMARY KEY (provider_id, worker_id)
) WITH (fillfactor = 50);

-- Codes that a provider has taken and that may yet go on to another: because it reports that they did not arrive, or is silent for
-- too long. Deleted with the receipt that ends the wait.
CREATE TABLE standby (
    lane                smallint NOT NULL,
    id                  uuid NOT NULL,
    account_id          integer NOT NULL,
    -- Where it would go by its own channel, and by another; null when there is none left.
    provider_id         integer,
    channel_provider_id integer,
    priority            smallint NOT NULL,
    attempt             smallint NOT NULL,
    series              smallint NOT NULL,
    tried               integer NOT NULL,
    -- Until then the message is worth something.
    expires_at          timestamptz NOT NULL,
    -- When it goes on without being told; null: never.
    due_at              timestamptz,
    PRIMARY KEY (lane, id)
) WITH (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1
);
CREATE INDEX standby_due ON standby (lane, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX standby_expired ON standby (lane, expires_at);
-- The statistics that it will have in use; see `seed_statistics`.
INSERT INTO standby (lane, id, account_id, provider_id, channel_provider_id, priority, attempt, series, tried, expires_at, due_at)
    SELECT 0, first_id_of(now() + n * interval '4 minutes'), n % 10, n % 3, n % 3, 0, 1, 1, 1, now() + n * interval '1 second',
           now() + n * interval '1 second'
    FROM generate_series(0, 359) AS n;
ANALYZE standby;
TRUNCATE standby;

-- Last, behind the advisory lock, and with little patience, as the migration before has it.
SET LOCAL lock_timeout = '5s';
-- The targets of its route that a message has been to before, a bit each.
ALTER TABLE outbox ADD COLUMN tried integer NOT NULL DEFAULT 0;
ALTER TABLE scheduled ADD COLUMN tried integer NOT NULL DEFAULT 0;
-- A report of failure of a part counts only while its series is the one on its way.
ALTER TABLE parts ADD COLUMN series smallint NOT NULL DEFAULT 1;
ALTER TABLE unmatched_receipts
    ADD COLUMN action text NOT NULL DEFAULT 'none', ADD COLUMN permanence text NOT NULL DEFAULT 'none';
-- Two providers have delivered it: an answer was lost, or came too late, and it was sent again.
ALTER TABLE messages ADD COLUMN duplicated boolean NOT NULL DEFAULT false;
-- `skipped`: it was not handed over, because this provider was not well and another was there.
ALTER TABLE attempts DROP CONSTRAINT attempts_outcome_check;
ALTER TABLE attempts ADD CONSTRAINT attempts_outcome_check CHECK (outcome IN ('accepted', 'refused', 'not_sent',
    'unanswered', 'expired', 'spent', 'needless', 'skipped')) NOT VALID;
