-- Gains are stored by the load, so a period is a range of the primary key, whatever the history behind it.
-- The names are made once for each video (materialized), not once for each of its windows.
with videos as materialized (select channel_id, video_id, video from mart.video_names),
     channels as materialized (select channel_id, channel from mart.channel_names)
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
       m.likes_gained::numeric + m.dislikes_gained as votes_gained,
       -- The step that holds the newest window is not over: drawn, it would look like a fall.
       m.date_updated < (select date_trunc('minute', date_updated) from mart.newest_window) as minute_over,
       m.date_updated < (select date_bin('5 minutes', date_updated, timestamptz '2000-01-01 00:00:00+00')
                         from mart.newest_window) as five_minutes_over
from youtube_stats.video_metrics m
join videos v using (channel_id, video_id)
join channels c using (channel_id)
