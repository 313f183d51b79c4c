-- Like video_growth, for the subscribers of channels.
with channels as materialized (select channel_id, channel from mart.channel_names)
select m.date_updated,
       m.channel_id,
       c.channel,
       m.channel_subscribers,
       m.subscribers_gained,
       m.date_updated < (select date_bin('5 minutes', date_updated, timestamptz '2000-01-01 00:00:00+00')
                         from mart.newest_window) as five_minutes_over
from youtube_stats.channel_metrics m
join channels c using (channel_id)
