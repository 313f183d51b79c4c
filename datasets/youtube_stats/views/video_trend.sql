-- The last 15 minutes of the data against the 15 before, video by video. The rank is among all videos, whatever
-- a dashboard's filter shows of them.
with newest as materialized (
    select date_updated as at from mart.newest_window
), gains as (
    select m.channel_id,
           m.video_id,
           sum(m.views_gained) filter (where m.date_updated >  n.at - interval '15 minutes') as gained,
           sum(m.views_gained) filter (where m.date_updated <= n.at - interval '15 minutes') as gained_before
    from youtube_stats.video_metrics m, newest n
    where m.date_updated > (select at - interval '30 minutes' from newest)
      and m.date_updated <= (select at from newest)
    group by m.channel_id, m.video_id
), ranked as (
    select *,
           rank() over (order by gained desc nulls last) as rank,
           case when gained_before is not null
                then rank() over (order by gained_before desc nulls last) end as rank_before
    from gains
)
select r.video_id,
       v.video,
       v.title,
       r.channel_id,
       c.channel,
       coalesce(r.gained, 0)                as views_gained,
       r.gained_before                      as views_gained_before,
       round(coalesce(r.gained, 0) / 15, 1) as views_per_minute,
       r.rank,
       r.rank_before - r.rank               as places_won,
       round(100 * (coalesce(r.gained, 0) - r.gained_before) / nullif(r.gained_before, 0), 1) as acceleration_percent,
       coalesce(r.gained > r.gained_before, false) as speeding_up
from ranked r
join mart.video_names v using (channel_id, video_id)
join mart.channel_names c using (channel_id)
