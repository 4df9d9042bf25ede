-- The guard against pumping: what is counted, blocked and refused. What it decides, and by what, is the program's.

-- Counts of windows of time that API processes tell each other once a second. Numbers, addresses and devices are in it as keyed
-- hashes only, so that nobody reads out of it who got codes.
CREATE TABLE guard_counts (
    -- 0 for what is counted over all accounts.
    account_id integer NOT NULL,
    -- What is counted, and whether over a day.
    kind       smallint NOT NULL,
    key        bytea NOT NULL CHECK (octet_length(key) = 16),
    since      timestamptz NOT NULL,
    sent       bigint NOT NULL,
    used       bigint NOT NULL,
    PRIMARY KEY (account_id, kind, key, since)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX guard_counts_age ON guard_counts (since);

-- What nothing is sent to, or for. What has ended stays, for whoever wants to know why.
CREATE TABLE guard_blocks (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Null: all accounts.
    account_id   integer REFERENCES accounts,
    scope        text NOT NULL CHECK (scope IN (
        'number', 'address', 'device', 'prefix', 'country', 'channel', 'account')),
    -- A keyed hash of a number, an address or a device; all else in clear.
    value        text NOT NULL,
    reason       text NOT NULL,
    -- By the guard: how many of its blocks of the same went before it.
    level        smallint NOT NULL DEFAULT 0,
    made_by      text NOT NULL CHECK (made_by IN ('guard', 'operator')),
    made_at      timestamptz NOT NULL DEFAULT now(),
    -- Null: until somebody has looked at it and lifts it.
    until        timestamptz,
    lifted_at    timestamptz,
    lifted_by    text,
    -- Until then the guard makes no other of the same.
    lifted_until timestamptz
);
CREATE INDEX guard_blocks_place ON guard_blocks (scope, value, account_id);
CREATE INDEX guard_blocks_open ON guard_blocks (until) WHERE lifted_at IS NULL;
CREATE INDEX guard_blocks_lifted ON guard_blocks (lifted_until) WHERE lifted_until IS NOT NULL;

-- Raised by every change of blocks: processes look at it once a second. The configuration has one of its own, as reading all of that
-- takes longer.
CREATE TABLE guard_revision (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
INSERT INTO guard_revision DEFAULT VALUES;
CREATE FUNCTION raise_guard_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE guard_revision SET revision = revision + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER guard_blocks_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON guard_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION raise_guard_revision();

-- How many messages were refused, or would have been of an account that is only watched.
CREATE TABLE guard_refusals (
    account_id integer NOT NULL,
    hour       timestamptz NOT NULL,
    reason     text NOT NULL,
    country    text NOT NULL,
    refused    bigint NOT NULL,
    watched    bigint NOT NULL,
    PRIMARY KEY (account_id, hour, reason, country)
) WITH (fillfactor = 70);
CREATE INDEX guard_refusals_age ON guard_refusals (hour);

-- Last, behind the advisory lock, and with little patience, as the migrations before have it.
SET LOCAL lock_timeout = '5s';
-- Where an account may send and how closely it is looked at, as its file says it. Those that there are send on as before, and are
-- watched: an upgrade stops nobody. Those that `apply` makes begin with no country.
ALTER TABLE accounts
    ADD COLUMN guard text NOT NULL DEFAULT '{"countries":{"*":"on"},"guard":{"mode":"watch"}}';
