-- What people call a channel: its latest name, and its id where two channels share a name.
select channel_id,
       case when count(*) over (partition by channel_name) > 1
            then channel_name || ' · ' || channel_id else channel_name end as channel
from youtube_stats.channels
