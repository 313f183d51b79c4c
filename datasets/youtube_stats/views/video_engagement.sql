-- Each video as it stands. Below 50 votes a share says nothing; the limits of the others are the platform's own.
select v.video_id,
       n.video,
       n.title,
       v.channel_id,
       c.channel,
       v.total_views,
       v.total_likes,
       v.total_dislikes,
       round(100.0 * v.total_likes / nullif(v.total_likes::numeric + v.total_dislikes, 0), 1) as like_percent,
       round(1000.0 * v.total_likes / nullif(v.total_views, 0), 2)    as likes_per_1000_views,
       round(1000.0 * v.total_dislikes / nullif(v.total_views, 0), 2) as dislikes_per_1000_views,
       case when v.total_likes is null or v.total_dislikes is null then 'unknown'
            when v.total_likes::numeric + v.total_dislikes < 50 then 'few votes'
            when v.total_likes < 0.80 * (v.total_likes::numeric + v.total_dislikes) then 'disputed'
            when v.total_likes < 0.97 * (v.total_likes::numeric + v.total_dislikes) then 'liked'
            else 'loved' end collate "C" as reception,
       v.last_updated
from youtube_stats.videos v
join mart.video_names n using (channel_id, video_id)
join mart.channel_names c using (channel_id)
