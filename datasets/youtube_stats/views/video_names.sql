-- What people call a video: the first line of its description, and its id where titles repeat.
select channel_id,
       video_id,
       title,
       case when count(*) over (partition by title) > 1 or title = ''
            then left(title, 40) || ' · ' || video_id else title end as video
from (select channel_id, video_id, left(split_part(description, E'\n', 1), 60) as title
      from youtube_stats.videos) t
