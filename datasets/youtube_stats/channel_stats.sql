-- The totals of a channel: the largest of its videos (the seed's words) and the sum over them.
select c.channel_id,
       c.channel_subscribers,
       c.channel_name,
       v.total_videos,
       v.total_views,
       v.total_likes,
       v.total_dislikes,
       v.sum_views,
       v.sum_likes,
       v.sum_dislikes,
       c.last_updated
from channels c
join lateral (
    select count(*)               as total_videos,
           max(total_views)       as total_views,
           max(total_likes)       as total_likes,
           max(total_dislikes)    as total_dislikes,
           sum(total_views)       as sum_views,
           sum(total_likes)       as sum_likes,
           sum(total_dislikes)    as sum_dislikes
    from videos
    where videos.channel_id = c.channel_id
) v on true
