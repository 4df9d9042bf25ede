-- How many lanes there are.

-- Of the database and not of a process, for all must agree: the lane of a recipient, and so where its limits and failures are,
-- follows from their number. It is raised by `pinpost migrate`, while nothing else runs, and never lowered: the lane of an id
-- stays what it was.
ALTER TABLE configuration ADD COLUMN lanes smallint NOT NULL DEFAULT 1 CHECK (lanes BETWEEN 1 AND 256);

-- For the update of a row that was there when it should have been inserted: on a cluster that may use immutable functions alone, which
-- the sum of a moment and an interval is not, for days are of different lengths by the clock of the session. Ours are of hours.
CREATE FUNCTION moment_after(moment timestamptz, wait interval) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT moment + wait
$$;
