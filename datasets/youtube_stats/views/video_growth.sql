-- Gains are stored by the load, so a period is a range of the primary key, whatever the history behind it.
-- `distinct on` tells the planner that a name comes once: a question that shows no name joins none, and one that
-- does makes each name once, not once for each window.
select m.date_updated,
       m.video_id,
       v.video,
       m.channel_id,
       c.channel,
       m.total_views,
       m.total_likes,
       m.total_dislikes,
       m.views_gained,
       m.likes_gained,
       m.dislikes_gained,
       -- The step that holds the newest window is not over: drawn, it would look like a fall.
       -- `is true` keeps the planner from pairing it with a period to a range that it takes for tiny.
       (m.date_updated < (select date_trunc('minute', date_updated) from mart.newest_window)) is true as minute_over,
       (m.date_updated < (select date_bin('5 minutes', date_updated, timestamptz '2000-01-01 00:00:00+00')
                          from mart.newest_window)) is true as five_minutes_over
from youtube_stats.video_metrics m
left join (select distinct on (channel_id, video_id) channel_id, video_id, video from mart.video_names) v
    using (channel_id, video_id)
left join (select distinct on (channel_id) channel_id, channel from mart.channel_names) c using (channel_id)
