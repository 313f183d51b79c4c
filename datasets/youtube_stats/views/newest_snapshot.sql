-- One row about this moment.
select now() as checked_at,
       (select greatest(extract(epoch from now() - max(last_updated))::bigint, 0)
        from youtube_stats.channels) as newest_snapshot_age_seconds
