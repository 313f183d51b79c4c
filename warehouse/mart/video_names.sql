-- What people call a video: the first line of its description. Titles repeat, so the id goes with them.
select channel_id,
       video_id,
       left(split_part(description, E'\n', 1), 60)                       as title,
       left(split_part(description, E'\n', 1), 40) || ' · ' || video_id  as video
from youtube_stats.videos
