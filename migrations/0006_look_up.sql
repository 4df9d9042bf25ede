-- Numbers that were looked up, and messages whose receipts do not come.

-- Whom to ask about numbers before codes are sent to them; no row: nobody.
CREATE TABLE look_up (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- A provider of the configuration whose address and credentials are used; null with those of its own.
    provider_id integer REFERENCES providers,
    kind        text NOT NULL,
    url         text NOT NULL,
    -- A JSON object of names and secrets, sealed with the master key.
    credentials bytea NOT NULL,
    settings    text NOT NULL DEFAULT '{}',
    -- How long an answer is used again, and how long a code waits for one.
    max_age     interval NOT NULL CHECK (max_age BETWEEN '1 min' AND '90 days'),
    time_limit  interval NOT NULL CHECK (time_limit BETWEEN '50 ms' AND '1500 ms')
);
CREATE TRIGGER look_up_changed AFTER INSERT OR UPDATE OR DELETE ON look_up
    FOR EACH ROW EXECUTE FUNCTION raise_configuration_revision();
CREATE TRIGGER look_up_truncated AFTER TRUNCATE ON look_up
    FOR EACH STATEMENT EXECUTE FUNCTION raise_configuration_revision();

-- What was answered, of each number the last. All in one lane, as what is asked is nobody's message.
CREATE TABLE look_ups (
    lane     smallint NOT NULL DEFAULT 0,
    number   text NOT NULL,
    -- JSON.
    facts    text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, number)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX look_ups_age ON look_ups (lane, asked_at);

-- How far the messages of a lane have been looked at for receipts that do not come, at each age: ids are in the order of time, so
-- one id says it of all. Whoever looks locks the row, and nobody else does.
CREATE TABLE reconciliation (
    lane    smallint NOT NULL,
    age     interval NOT NULL,
    reached uuid NOT NULL,
    PRIMARY KEY (lane, age)
) WITH (fillfactor = 50);

-- Last, with little patience, as the migrations before have it.
SET LOCAL lock_timeout = '5s';
-- To ask for a message by its provider's ids. Rows come in the order of time, so it grows at its end. Only the partitions from
-- yesterday on get it here: building it over a long history would have everybody wait. README has it built for the others meanwhile.
CREATE INDEX parts_of_message ON ONLY parts (lane, message_id);
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'parts'::regclass AND c.relname >= 'parts_' || to_char(now() AT TIME ZONE 'UTC' - interval '1 day', 'YYYYMMDD')
    LOOP
        EXECUTE format('CREATE INDEX %I ON %I (lane, message_id)', name || '_of_message', name);
        EXECUTE format('ALTER INDEX parts_of_message ATTACH PARTITION %I', name || '_of_message');
    END LOOP;
END
$$;
-- Ended without having been heard of.
ALTER TABLE tallies ADD COLUMN silent integer NOT NULL DEFAULT 0;
ALTER TABLE rates ADD COLUMN silent bigint NOT NULL DEFAULT 0;
