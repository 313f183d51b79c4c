-- Each channel as it stands, and what the last hour of the data did to it.
with newest as materialized (
    select date_updated as at from mart.newest_window
), hour as (
    select m.channel_id, sum(m.subscribers_gained) as subscribers_gained
    from youtube_stats.channel_metrics m
    where m.date_updated > (select at - interval '1 hour' from newest)
      and m.date_updated <= (select at from newest)
    group by m.channel_id
)
select s.channel_id,
       c.channel,
       s.channel_subscribers,
       coalesce(h.subscribers_gained, 0)                              as subscribers_gained_hour,
       s.total_videos,
       s.sum_views,
       s.sum_likes,
       s.sum_dislikes,
       round(s.sum_views / nullif(s.total_videos, 0))                 as views_per_video,
       round(s.sum_views / nullif(s.channel_subscribers, 0), 1)       as views_per_subscriber,
       s.last_updated
from youtube_stats.channel_stats s
join mart.channel_names c using (channel_id)
left join hour h using (channel_id)
