-- "Now" is the newest window of the data, so that the views hold for a history as well. A clock that runs ahead
-- must not hide everybody else's present: windows of the future do not count.
select max(date_updated) as date_updated
from youtube_stats.video_metrics
where date_updated <= now()
