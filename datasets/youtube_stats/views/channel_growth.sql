-- Like video_growth, for the subscribers of channels.
select m.date_updated,
       m.channel_id,
       c.channel,
       m.channel_subscribers,
       m.subscribers_gained,
       (m.date_updated < (select date_bin('5 minutes', date_updated, timestamptz '2000-01-01 00:00:00+00')
                          from mart.newest_window)) is true as five_minutes_over
from youtube_stats.channel_metrics m
left join (select distinct on (channel_id) channel_id, channel from mart.channel_names) c using (channel_id)
