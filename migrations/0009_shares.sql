-- What `worker` may send a second of each provider's rate, from now until `lease` is over; see `Store.renewShares`.
--
-- A function, because it takes a lock first and then reads what was committed while it waited: one statement reads what was
-- there when it began. As a transaction of six statements it was most of what an idle worker asked for.
CREATE FUNCTION renew_shares(worker integer, providers integer[], rates integer[], lease interval)
RETURNS TABLE (provider integer, granted integer) LANGUAGE plpgsql AS $$
BEGIN
    -- What is lost in a crash is a part of a few seconds; waiting for the disk each time would have all workers wait in turn.
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtext('pinpost shares'));
    DELETE FROM provider_shares WHERE until < now() - interval '1 minute';
    RETURN QUERY
    WITH wanted AS (
        SELECT * FROM unnest(providers, rates) AS w (provider_id, rate)
    ), others AS (
        SELECT w.provider_id, w.rate, coalesce(sum(o.share), 0)::integer AS taken, count(o.worker_id) AS count,
               count(o.worker_id) FILTER (WHERE o.worker_id < worker) AS before
        FROM wanted w LEFT JOIN provider_shares o
            -- By the clock and not by the transaction's beginning, which was before it waited for the lock.
            ON o.provider_id = w.provider_id AND o.worker_id <> worker AND o.until > clock_timestamp()
        GROUP BY w.provider_id, w.rate
    )
    INSERT INTO provider_shares AS s (provider_id, worker_id, share, until)
    SELECT provider_id, worker,
           -- An even part; those who came first get one more while there is a rest.
           least(rate / (count + 1) + (before < rate % (count + 1))::integer, greatest(rate - taken, 0)),
           clock_timestamp() + lease
    FROM others
    ON CONFLICT (provider_id, worker_id) DO UPDATE SET share = excluded.share, until = excluded.until
    RETURNING s.provider_id, s.share;
END
$$;
