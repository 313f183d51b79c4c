-- The SQL made from youtube_stats/dataset.yaml, without the quotes around names. Written by `./mdp dev docs`.


-- video_metrics: the table, and the view that people read it through

create table if not exists youtube_stats.video_metrics (
    date_updated timestamptz not null,
    video_id text collate "C" not null,
    channel_id text collate "C" not null,
    channel_name text collate "C" not null,
    description text collate "C" not null,
    total_views bigint not null,
    total_likes bigint,
    total_dislikes bigint,
    views_gained bigint,
    likes_gained bigint,
    dislikes_gained bigint,
    last_updated timestamptz not null,
    primary key (date_updated, video_id)
);

create index if not exists video_metrics_by_key on youtube_stats.video_metrics (video_id, date_updated);

grant select, insert, update, delete on youtube_stats.video_metrics to mdp_loader;

create or replace view mart.video_metrics as select date_updated, video_id, channel_id, channel_name, description, total_views, total_likes, total_dislikes, views_gained, likes_gained, dislikes_gained, last_updated from youtube_stats.video_metrics;

comment on table youtube_stats.video_metrics is 'Trend 30s: one row per 30-second window and video';

comment on column youtube_stats.video_metrics.date_updated is 'Start of the window of 30 s. When the snapshot was taken';

comment on column youtube_stats.video_metrics.video_id is 'Unique identifier for a video';

comment on column youtube_stats.video_metrics.channel_id is 'Unique identifier for a channel';

comment on column youtube_stats.video_metrics.channel_name is 'Channel''s name';

comment on column youtube_stats.video_metrics.description is 'Video description text';

comment on column youtube_stats.video_metrics.total_views is 'Greatest value of total_views. Total view count';

comment on column youtube_stats.video_metrics.total_likes is 'Greatest value of total_likes. Total like count; unknown where hidden';

comment on column youtube_stats.video_metrics.total_dislikes is 'Greatest value of total_dislikes. Total dislike count; unknown since they are not public';

comment on column youtube_stats.video_metrics.views_gained is 'What total_views gained since the previous window';

comment on column youtube_stats.video_metrics.likes_gained is 'What total_likes gained since the previous window';

comment on column youtube_stats.video_metrics.dislikes_gained is 'What total_dislikes gained since the previous window';

comment on column youtube_stats.video_metrics.last_updated is 'When the snapshot was taken';

comment on view mart.video_metrics is 'Trend 30s: one row per 30-second window and video';

comment on column mart.video_metrics.date_updated is 'Start of the window of 30 s. When the snapshot was taken';

comment on column mart.video_metrics.video_id is 'Unique identifier for a video';

comment on column mart.video_metrics.channel_id is 'Unique identifier for a channel';

comment on column mart.video_metrics.channel_name is 'Channel''s name';

comment on column mart.video_metrics.description is 'Video description text';

comment on column mart.video_metrics.total_views is 'Greatest value of total_views. Total view count';

comment on column mart.video_metrics.total_likes is 'Greatest value of total_likes. Total like count; unknown where hidden';

comment on column mart.video_metrics.total_dislikes is 'Greatest value of total_dislikes. Total dislike count; unknown since they are not public';

comment on column mart.video_metrics.views_gained is 'What total_views gained since the previous window';

comment on column mart.video_metrics.likes_gained is 'What total_likes gained since the previous window';

comment on column mart.video_metrics.dislikes_gained is 'What total_dislikes gained since the previous window';

comment on column mart.video_metrics.last_updated is 'When the snapshot was taken';


-- channel_metrics: the table, and the view that people read it through

create table if not exists youtube_stats.channel_metrics (
    date_updated timestamptz not null,
    channel_id text collate "C" not null,
    channel_subscribers bigint not null,
    channel_name text collate "C" not null,
    subscribers_gained bigint,
    last_updated timestamptz not null,
    primary key (date_updated, channel_id)
);

create index if not exists channel_metrics_by_key on youtube_stats.channel_metrics (channel_id, date_updated);

grant select, insert, update, delete on youtube_stats.channel_metrics to mdp_loader;

create or replace view mart.channel_metrics as select date_updated, channel_id, channel_subscribers, channel_name, subscribers_gained, last_updated from youtube_stats.channel_metrics;

comment on table youtube_stats.channel_metrics is 'One row per 30-second window and channel';

comment on column youtube_stats.channel_metrics.date_updated is 'Start of the window of 30 s. When the snapshot was taken';

comment on column youtube_stats.channel_metrics.channel_id is 'Unique identifier for a channel';

comment on column youtube_stats.channel_metrics.channel_subscribers is 'Subscriber count at the time of the snapshot';

comment on column youtube_stats.channel_metrics.channel_name is 'Channel''s name';

comment on column youtube_stats.channel_metrics.subscribers_gained is 'What channel_subscribers gained since the previous window';

comment on column youtube_stats.channel_metrics.last_updated is 'When the snapshot was taken';

comment on view mart.channel_metrics is 'One row per 30-second window and channel';

comment on column mart.channel_metrics.date_updated is 'Start of the window of 30 s. When the snapshot was taken';

comment on column mart.channel_metrics.channel_id is 'Unique identifier for a channel';

comment on column mart.channel_metrics.channel_subscribers is 'Subscriber count at the time of the snapshot';

comment on column mart.channel_metrics.channel_name is 'Channel''s name';

comment on column mart.channel_metrics.subscribers_gained is 'What channel_subscribers gained since the previous window';

comment on column mart.channel_metrics.last_updated is 'When the snapshot was taken';


-- videos: the table, and the view that people read it through

create table if not exists youtube_stats.videos (
    channel_id text collate "C" not null,
    video_id text collate "C" not null,
    description text collate "C" not null,
    date_created timestamptz not null,
    total_views bigint not null,
    total_likes bigint,
    total_dislikes bigint,
    first_updated timestamptz not null,
    last_updated timestamptz not null,
    primary key (channel_id, video_id)
);

grant select, insert, update, delete on youtube_stats.videos to mdp_loader;

create or replace view mart.videos as select channel_id, video_id, description, date_created, total_views, total_likes, total_dislikes, first_updated, last_updated from youtube_stats.videos;

comment on table youtube_stats.videos is 'One row per channel and video over everything accepted';

comment on column youtube_stats.videos.channel_id is 'Unique identifier for a channel';

comment on column youtube_stats.videos.video_id is 'Unique identifier for a video';

comment on column youtube_stats.videos.description is 'Video description text';

comment on column youtube_stats.videos.date_created is 'Least value of date_created. When the video was first created';

comment on column youtube_stats.videos.total_views is 'Greatest value of total_views. Total view count';

comment on column youtube_stats.videos.total_likes is 'Greatest value of total_likes. Total like count; unknown where hidden';

comment on column youtube_stats.videos.total_dislikes is 'Greatest value of total_dislikes. Total dislike count; unknown since they are not public';

comment on column youtube_stats.videos.first_updated is 'Least value of date_updated. When the snapshot was taken';

comment on column youtube_stats.videos.last_updated is 'When the snapshot was taken';

comment on view mart.videos is 'One row per channel and video over everything accepted';

comment on column mart.videos.channel_id is 'Unique identifier for a channel';

comment on column mart.videos.video_id is 'Unique identifier for a video';

comment on column mart.videos.description is 'Video description text';

comment on column mart.videos.date_created is 'Least value of date_created. When the video was first created';

comment on column mart.videos.total_views is 'Greatest value of total_views. Total view count';

comment on column mart.videos.total_likes is 'Greatest value of total_likes. Total like count; unknown where hidden';

comment on column mart.videos.total_dislikes is 'Greatest value of total_dislikes. Total dislike count; unknown since they are not public';

comment on column mart.videos.first_updated is 'Least value of date_updated. When the snapshot was taken';

comment on column mart.videos.last_updated is 'When the snapshot was taken';


-- channels: the table, and the view that people read it through

create table if not exists youtube_stats.channels (
    channel_id text collate "C" not null,
    channel_subscribers bigint not null,
    channel_name text collate "C" not null,
    last_updated timestamptz not null,
    primary key (channel_id)
);

grant select, insert, update, delete on youtube_stats.channels to mdp_loader;

create or replace view mart.channels as select channel_id, channel_subscribers, channel_name, last_updated from youtube_stats.channels;

comment on table youtube_stats.channels is 'One row per channel over everything accepted, with the values of its latest row';

comment on column youtube_stats.channels.channel_id is 'Unique identifier for a channel';

comment on column youtube_stats.channels.channel_subscribers is 'Subscriber count at the time of the snapshot';

comment on column youtube_stats.channels.channel_name is 'Channel''s name';

comment on column youtube_stats.channels.last_updated is 'When the snapshot was taken';

comment on view mart.channels is 'One row per channel over everything accepted, with the values of its latest row';

comment on column mart.channels.channel_id is 'Unique identifier for a channel';

comment on column mart.channels.channel_subscribers is 'Subscriber count at the time of the snapshot';

comment on column mart.channels.channel_name is 'Channel''s name';

comment on column mart.channels.last_updated is 'When the snapshot was taken';


-- channel_stats: the table, and the view that people read it through

create table if not exists youtube_stats.channel_stats (
    channel_id text collate "C" not null,
    channel_subscribers bigint,
    channel_name text collate "C",
    total_videos bigint,
    total_views bigint,
    total_likes bigint,
    total_dislikes bigint,
    sum_views numeric,
    sum_likes numeric,
    sum_dislikes numeric,
    last_updated timestamptz,
    primary key (channel_id)
);

grant select, insert, update, delete on youtube_stats.channel_stats to mdp_loader;

create or replace view mart.channel_stats as select channel_id, channel_subscribers, channel_name, total_videos, total_views, total_likes, total_dislikes, sum_views, sum_likes, sum_dislikes, last_updated from youtube_stats.channel_stats;

comment on table youtube_stats.channel_stats is 'One row per channel over everything accepted';

comment on column youtube_stats.channel_stats.channel_id is 'Unique identifier for a channel';

comment on column youtube_stats.channel_stats.channel_subscribers is NULL;

comment on column youtube_stats.channel_stats.channel_name is NULL;

comment on column youtube_stats.channel_stats.total_videos is NULL;

comment on column youtube_stats.channel_stats.total_views is NULL;

comment on column youtube_stats.channel_stats.total_likes is NULL;

comment on column youtube_stats.channel_stats.total_dislikes is NULL;

comment on column youtube_stats.channel_stats.sum_views is NULL;

comment on column youtube_stats.channel_stats.sum_likes is NULL;

comment on column youtube_stats.channel_stats.sum_dislikes is NULL;

comment on column youtube_stats.channel_stats.last_updated is NULL;

comment on view mart.channel_stats is 'One row per channel over everything accepted';

comment on column mart.channel_stats.channel_id is 'Unique identifier for a channel';

comment on column mart.channel_stats.channel_subscribers is NULL;

comment on column mart.channel_stats.channel_name is NULL;

comment on column mart.channel_stats.total_videos is NULL;

comment on column mart.channel_stats.total_views is NULL;

comment on column mart.channel_stats.total_likes is NULL;

comment on column mart.channel_stats.total_dislikes is NULL;

comment on column mart.channel_stats.sum_views is NULL;

comment on column mart.channel_stats.sum_likes is NULL;

comment on column mart.channel_stats.sum_dislikes is NULL;

comment on column mart.channel_stats.last_updated is NULL;


-- video_metrics: a load stages partials and merges them, then recomputes the gains that follow

create temporary table stage_video_metrics on commit drop as
select date_updated, video_id, channel_id, channel_name, description, total_views, total_likes, total_dislikes, last_updated, date_updated as mdp_until, total_dislikes as mdp_lag_total_dislikes, total_likes as mdp_lag_total_likes, total_views as mdp_lag_total_views from youtube_stats.video_metrics with no data;

copy stage_video_metrics (date_updated, video_id, channel_id, channel_name, description, total_views, total_likes, total_dislikes, last_updated, mdp_until, mdp_lag_total_dislikes, mdp_lag_total_likes, mdp_lag_total_views) from stdin (format csv);

create temporary table touched_video_metrics on commit drop as select date_updated, video_id from youtube_stats.video_metrics with no data;

create temporary table known_video_metrics on commit drop as
select t.video_id, t.mdp_until, p.total_dislikes as mdp_lag_total_dislikes, p.total_likes as mdp_lag_total_likes, p.total_views as mdp_lag_total_views,
    a.date_updated is not null as mdp_followed, coalesce(a.date_updated <= t.mdp_until, false) as mdp_mixed
from stage_video_metrics t
left join lateral (
        select n.date_updated, n.total_dislikes, n.total_likes, n.total_views from youtube_stats.video_metrics n
        where n.video_id = t.video_id and n.date_updated < t.date_updated
        order by n.date_updated desc limit 1
    ) p on true
left join lateral (
        select n.date_updated from youtube_stats.video_metrics n
        where n.video_id = t.video_id and n.date_updated >= t.date_updated
        order by n.date_updated asc limit 1
    ) a on true
where t.mdp_until is not null and (p.date_updated is not null or a.date_updated is not null);

with merged as (
    select date_updated, video_id,
        case when n.newer then s.last_updated else t.last_updated end as last_updated,
        case when n.newer then s.channel_id else t.channel_id end as channel_id,
        case when n.newer then s.channel_name else t.channel_name end as channel_name,
        case when n.newer then s.description else t.description end as description,
        greatest(s.total_views, t.total_views) as total_views,
        greatest(s.total_likes, t.total_likes) as total_likes,
        greatest(s.total_dislikes, t.total_dislikes) as total_dislikes
    from stage_video_metrics s join known_video_metrics k using (video_id)
    left join youtube_stats.video_metrics t using (date_updated, video_id)
    cross join lateral (select t.last_updated is null or (s.last_updated, s.channel_id, s.channel_name, s.description) > (t.last_updated, t.channel_id, t.channel_name, t.description) as newer) n
    where k.mdp_mixed
), whole as (
    select t.date_updated, t.video_id, t.channel_id, t.channel_name, t.description, t.total_views, t.total_likes, t.total_dislikes, t.last_updated,
        case when t.total_views - b.total_views < 0 then 0 else t.total_views - b.total_views end as views_gained,
        case when t.total_likes - b.total_likes < 0 then 0 else t.total_likes - b.total_likes end as likes_gained,
        case when t.total_dislikes - b.total_dislikes < 0 then 0 else t.total_dislikes - b.total_dislikes end as dislikes_gained
    from (
        select *, lag(date_updated) over before as mdp_lag_date_updated,
        lag(total_dislikes) over before as mdp_lag_total_dislikes,
        lag(total_likes) over before as mdp_lag_total_likes,
        lag(total_views) over before as mdp_lag_total_views
        from merged
        window before as (partition by video_id order by date_updated)
    ) t
    left join lateral (
        select n.date_updated, n.total_dislikes, n.total_likes, n.total_views from youtube_stats.video_metrics n
        where n.video_id = t.video_id and n.date_updated < t.date_updated
        order by n.date_updated desc limit 1
    ) p on true
    cross join lateral (select
        case when p.date_updated is null or t.mdp_lag_date_updated >= p.date_updated then t.mdp_lag_total_dislikes else p.total_dislikes end as total_dislikes,
        case when p.date_updated is null or t.mdp_lag_date_updated >= p.date_updated then t.mdp_lag_total_likes else p.total_likes end as total_likes,
        case when p.date_updated is null or t.mdp_lag_date_updated >= p.date_updated then t.mdp_lag_total_views else p.total_views end as total_views
    ) b
), written as (
    insert into youtube_stats.video_metrics as t (date_updated, video_id, channel_id, channel_name, description, total_views, total_likes, total_dislikes, views_gained, likes_gained, dislikes_gained, last_updated)
select date_updated, video_id, channel_id, channel_name, description, total_views, total_likes, total_dislikes, views_gained, likes_gained, dislikes_gained, last_updated from whole
order by date_updated, video_id
on conflict (date_updated, video_id) do update set (channel_id, channel_name, description, total_views, total_likes, total_dislikes, views_gained, likes_gained, dislikes_gained, last_updated) = row(excluded.channel_id, excluded.channel_name, excluded.description, excluded.total_views, excluded.total_likes, excluded.total_dislikes, excluded.views_gained, excluded.likes_gained, excluded.dislikes_gained, excluded.last_updated)
where row(t.channel_id, t.channel_name, t.description, t.total_views, t.total_likes, t.total_dislikes, t.views_gained, t.likes_gained, t.dislikes_gained, t.last_updated) is distinct from row(excluded.channel_id, excluded.channel_name, excluded.description, excluded.total_views, excluded.total_likes, excluded.total_dislikes, excluded.views_gained, excluded.likes_gained, excluded.dislikes_gained, excluded.last_updated)
    returning t.date_updated, t.video_id
)
insert into touched_video_metrics select * from written;

insert into youtube_stats.video_metrics (date_updated, video_id, channel_id, channel_name, description, total_views, total_likes, total_dislikes, last_updated, views_gained, likes_gained, dislikes_gained)
select t.date_updated, t.video_id, t.channel_id, t.channel_name, t.description, t.total_views, t.total_likes, t.total_dislikes, t.last_updated,
        case when t.total_views - b.total_views < 0 then 0 else t.total_views - b.total_views end as views_gained,
        case when t.total_likes - b.total_likes < 0 then 0 else t.total_likes - b.total_likes end as likes_gained,
        case when t.total_dislikes - b.total_dislikes < 0 then 0 else t.total_dislikes - b.total_dislikes end as dislikes_gained
from stage_video_metrics t left join known_video_metrics k using (video_id)
cross join lateral (select
        case when t.mdp_until is null then t.mdp_lag_total_dislikes else k.mdp_lag_total_dislikes end as total_dislikes,
        case when t.mdp_until is null then t.mdp_lag_total_likes else k.mdp_lag_total_likes end as total_likes,
        case when t.mdp_until is null then t.mdp_lag_total_views else k.mdp_lag_total_views end as total_views
    ) b
where k.mdp_mixed is not true
order by t.date_updated, t.video_id;

insert into touched_video_metrics (date_updated, video_id)
select mdp_until, video_id from known_video_metrics where mdp_followed and not mdp_mixed;

with successors as (
    select distinct a.* from touched_video_metrics t
    cross join lateral (
        select n.date_updated, n.video_id from youtube_stats.video_metrics n
        where n.video_id = t.video_id and n.date_updated > t.date_updated
        order by n.date_updated asc limit 1
    ) a
    where not exists (select 1 from touched_video_metrics o where (o.date_updated, o.video_id) = (a.date_updated, a.video_id))
), fresh as (
    select t.date_updated, t.video_id,
        case when t.total_views - b.total_views < 0 then 0 else t.total_views - b.total_views end as views_gained,
        case when t.total_likes - b.total_likes < 0 then 0 else t.total_likes - b.total_likes end as likes_gained,
        case when t.total_dislikes - b.total_dislikes < 0 then 0 else t.total_dislikes - b.total_dislikes end as dislikes_gained
    from successors join youtube_stats.video_metrics t using (date_updated, video_id)
    left join lateral (
        select n.total_dislikes, n.total_likes, n.total_views from youtube_stats.video_metrics n
        where n.video_id = t.video_id and n.date_updated < t.date_updated
        order by n.date_updated desc limit 1
    ) b on true
    order by t.date_updated, t.video_id
), written as (
    update youtube_stats.video_metrics t set (views_gained, likes_gained, dislikes_gained) = row(f.views_gained, f.likes_gained, f.dislikes_gained) from fresh f
    where (t.date_updated, t.video_id) = (f.date_updated, f.video_id) and row(t.views_gained, t.likes_gained, t.dislikes_gained) is distinct from row(f.views_gained, f.likes_gained, f.dislikes_gained)
    returning t.date_updated, t.video_id
)
insert into touched_video_metrics select * from written;


-- channel_metrics: a load stages partials and merges them, then recomputes the gains that follow

create temporary table stage_channel_metrics on commit drop as
select date_updated, channel_id, channel_subscribers, channel_name, last_updated, date_updated as mdp_until, channel_subscribers as mdp_lag_channel_subscribers from youtube_stats.channel_metrics with no data;

copy stage_channel_metrics (date_updated, channel_id, channel_subscribers, channel_name, last_updated, mdp_until, mdp_lag_channel_subscribers) from stdin (format csv);

create temporary table touched_channel_metrics on commit drop as select date_updated, channel_id from youtube_stats.channel_metrics with no data;

create temporary table known_channel_metrics on commit drop as
select t.channel_id, t.mdp_until, p.channel_subscribers as mdp_lag_channel_subscribers,
    a.date_updated is not null as mdp_followed, coalesce(a.date_updated <= t.mdp_until, false) as mdp_mixed
from stage_channel_metrics t
left join lateral (
        select n.date_updated, n.channel_subscribers from youtube_stats.channel_metrics n
        where n.channel_id = t.channel_id and n.date_updated < t.date_updated
        order by n.date_updated desc limit 1
    ) p on true
left join lateral (
        select n.date_updated from youtube_stats.channel_metrics n
        where n.channel_id = t.channel_id and n.date_updated >= t.date_updated
        order by n.date_updated asc limit 1
    ) a on true
where t.mdp_until is not null and (p.date_updated is not null or a.date_updated is not null);

with merged as (
    select date_updated, channel_id,
        case when n.newer then s.last_updated else t.last_updated end as last_updated,
        case when n.newer then s.channel_subscribers else t.channel_subscribers end as channel_subscribers,
        case when n.newer then s.channel_name else t.channel_name end as channel_name
    from stage_channel_metrics s join known_channel_metrics k using (channel_id)
    left join youtube_stats.channel_metrics t using (date_updated, channel_id)
    cross join lateral (select t.last_updated is null or (s.last_updated, s.channel_subscribers, s.channel_name) > (t.last_updated, t.channel_subscribers, t.channel_name) as newer) n
    where k.mdp_mixed
), whole as (
    select t.date_updated, t.channel_id, t.channel_subscribers, t.channel_name, t.last_updated,
        t.channel_subscribers - b.channel_subscribers as subscribers_gained
    from (
        select *, lag(date_updated) over before as mdp_lag_date_updated,
        lag(channel_subscribers) over before as mdp_lag_channel_subscribers
        from merged
        window before as (partition by channel_id order by date_updated)
    ) t
    left join lateral (
        select n.date_updated, n.channel_subscribers from youtube_stats.channel_metrics n
        where n.channel_id = t.channel_id and n.date_updated < t.date_updated
        order by n.date_updated desc limit 1
    ) p on true
    cross join lateral (select
        case when p.date_updated is null or t.mdp_lag_date_updated >= p.date_updated then t.mdp_lag_channel_subscribers else p.channel_subscribers end as channel_subscribers
    ) b
), written as (
    insert into youtube_stats.channel_metrics as t (date_updated, channel_id, channel_subscribers, channel_name, subscribers_gained, last_updated)
select date_updated, channel_id, channel_subscribers, channel_name, subscribers_gained, last_updated from whole
order by date_updated, channel_id
on conflict (date_updated, channel_id) do update set (channel_subscribers, channel_name, subscribers_gained, last_updated) = row(excluded.channel_subscribers, excluded.channel_name, excluded.subscribers_gained, excluded.last_updated)
where row(t.channel_subscribers, t.channel_name, t.subscribers_gained, t.last_updated) is distinct from row(excluded.channel_subscribers, excluded.channel_name, excluded.subscribers_gained, excluded.last_updated)
    returning t.date_updated, t.channel_id
)
insert into touched_channel_metrics select * from written;

insert into youtube_stats.channel_metrics (date_updated, channel_id, channel_subscribers, channel_name, last_updated, subscribers_gained)
select t.date_updated, t.channel_id, t.channel_subscribers, t.channel_name, t.last_updated,
        t.channel_subscribers - b.channel_subscribers as subscribers_gained
from stage_channel_metrics t left join known_channel_metrics k using (channel_id)
cross join lateral (select
        case when t.mdp_until is null then t.mdp_lag_channel_subscribers else k.mdp_lag_channel_subscribers end as channel_subscribers
    ) b
where k.mdp_mixed is not true
order by t.date_updated, t.channel_id;

insert into touched_channel_metrics (date_updated, channel_id)
select mdp_until, channel_id from known_channel_metrics where mdp_followed and not mdp_mixed;

with successors as (
    select distinct a.* from touched_channel_metrics t
    cross join lateral (
        select n.date_updated, n.channel_id from youtube_stats.channel_metrics n
        where n.channel_id = t.channel_id and n.date_updated > t.date_updated
        order by n.date_updated asc limit 1
    ) a
    where not exists (select 1 from touched_channel_metrics o where (o.date_updated, o.channel_id) = (a.date_updated, a.channel_id))
), fresh as (
    select t.date_updated, t.channel_id,
        t.channel_subscribers - b.channel_subscribers as subscribers_gained
    from successors join youtube_stats.channel_metrics t using (date_updated, channel_id)
    left join lateral (
        select n.channel_subscribers from youtube_stats.channel_metrics n
        where n.channel_id = t.channel_id and n.date_updated < t.date_updated
        order by n.date_updated desc limit 1
    ) b on true
    order by t.date_updated, t.channel_id
), written as (
    update youtube_stats.channel_metrics t set (subscribers_gained) = row(f.subscribers_gained) from fresh f
    where (t.date_updated, t.channel_id) = (f.date_updated, f.channel_id) and row(t.subscribers_gained) is distinct from row(f.subscribers_gained)
    returning t.date_updated, t.channel_id
)
insert into touched_channel_metrics select * from written;


-- videos: a load stages partials and merges them, then recomputes the gains that follow

create temporary table stage_videos on commit drop as select channel_id, video_id, description, date_created, total_views, total_likes, total_dislikes, first_updated, last_updated from youtube_stats.videos with no data;

copy stage_videos (channel_id, video_id, description, date_created, total_views, total_likes, total_dislikes, first_updated, last_updated) from stdin (format csv);

with merged as (
    select channel_id, video_id,
        case when n.newer then s.last_updated else t.last_updated end as last_updated,
        case when n.newer then s.description else t.description end as description,
        least(s.date_created, t.date_created) as date_created,
        greatest(s.total_views, t.total_views) as total_views,
        greatest(s.total_likes, t.total_likes) as total_likes,
        greatest(s.total_dislikes, t.total_dislikes) as total_dislikes,
        least(s.first_updated, t.first_updated) as first_updated
    from stage_videos s join youtube_stats.videos t using (channel_id, video_id)
    cross join lateral (select t.last_updated is null or (s.last_updated, s.description) > (t.last_updated, t.description) as newer) n
)
insert into youtube_stats.videos as t (channel_id, video_id, description, date_created, total_views, total_likes, total_dislikes, first_updated, last_updated)
select channel_id, video_id, description, date_created, total_views, total_likes, total_dislikes, first_updated, last_updated from merged
order by channel_id, video_id
on conflict (channel_id, video_id) do update set (description, date_created, total_views, total_likes, total_dislikes, first_updated, last_updated) = row(excluded.description, excluded.date_created, excluded.total_views, excluded.total_likes, excluded.total_dislikes, excluded.first_updated, excluded.last_updated)
where row(t.description, t.date_created, t.total_views, t.total_likes, t.total_dislikes, t.first_updated, t.last_updated) is distinct from row(excluded.description, excluded.date_created, excluded.total_views, excluded.total_likes, excluded.total_dislikes, excluded.first_updated, excluded.last_updated);

insert into youtube_stats.videos (channel_id, video_id, description, date_created, total_views, total_likes, total_dislikes, first_updated, last_updated)
select channel_id, video_id, description, date_created, total_views, total_likes, total_dislikes, first_updated, last_updated from stage_videos s
where not exists (select 1 from youtube_stats.videos t where (t.channel_id, t.video_id) = (s.channel_id, s.video_id))
order by channel_id, video_id;


-- channels: a load stages partials and merges them, then recomputes the gains that follow

create temporary table stage_channels on commit drop as select channel_id, channel_subscribers, channel_name, last_updated from youtube_stats.channels with no data;

copy stage_channels (channel_id, channel_subscribers, channel_name, last_updated) from stdin (format csv);

with merged as (
    select channel_id,
        case when n.newer then s.last_updated else t.last_updated end as last_updated,
        case when n.newer then s.channel_subscribers else t.channel_subscribers end as channel_subscribers,
        case when n.newer then s.channel_name else t.channel_name end as channel_name
    from stage_channels s join youtube_stats.channels t using (channel_id)
    cross join lateral (select t.last_updated is null or (s.last_updated, s.channel_subscribers, s.channel_name) > (t.last_updated, t.channel_subscribers, t.channel_name) as newer) n
)
insert into youtube_stats.channels as t (channel_id, channel_subscribers, channel_name, last_updated)
select channel_id, channel_subscribers, channel_name, last_updated from merged
order by channel_id
on conflict (channel_id) do update set (channel_subscribers, channel_name, last_updated) = row(excluded.channel_subscribers, excluded.channel_name, excluded.last_updated)
where row(t.channel_subscribers, t.channel_name, t.last_updated) is distinct from row(excluded.channel_subscribers, excluded.channel_name, excluded.last_updated);

insert into youtube_stats.channels (channel_id, channel_subscribers, channel_name, last_updated)
select channel_id, channel_subscribers, channel_name, last_updated from stage_channels s
where not exists (select 1 from youtube_stats.channels t where (t.channel_id) = (s.channel_id))
order by channel_id;


-- channel_stats: the summary, for the keys that the load touched

create temporary table touched_channel_stats on commit drop as
select s.channel_id as channel_id from stage_channels s;

with fresh as materialized (
    select channel_id, channel_subscribers, channel_name, total_videos, total_views, total_likes, total_dislikes, sum_views, sum_likes, sum_dislikes, last_updated from (
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
) s
    where (channel_id) in (select channel_id from touched_channel_stats)
), gone as (
    delete from youtube_stats.channel_stats t
    where (channel_id) in (select channel_id from touched_channel_stats)
        and not exists (select from fresh f where (f.channel_id) = (t.channel_id))
)
insert into youtube_stats.channel_stats as t (channel_id, channel_subscribers, channel_name, total_videos, total_views, total_likes, total_dislikes, sum_views, sum_likes, sum_dislikes, last_updated)
select channel_id, channel_subscribers, channel_name, total_videos, total_views, total_likes, total_dislikes, sum_views, sum_likes, sum_dislikes, last_updated from fresh
order by channel_id
on conflict (channel_id) do update set (channel_subscribers, channel_name, total_videos, total_views, total_likes, total_dislikes, sum_views, sum_likes, sum_dislikes, last_updated) = row(excluded.channel_subscribers, excluded.channel_name, excluded.total_videos, excluded.total_views, excluded.total_likes, excluded.total_dislikes, excluded.sum_views, excluded.sum_likes, excluded.sum_dislikes, excluded.last_updated)
where row(t.channel_subscribers, t.channel_name, t.total_videos, t.total_views, t.total_likes, t.total_dislikes, t.sum_views, t.sum_likes, t.sum_dislikes, t.last_updated) is distinct from row(excluded.channel_subscribers, excluded.channel_name, excluded.total_videos, excluded.total_views, excluded.total_likes, excluded.total_dislikes, excluded.sum_views, excluded.sum_likes, excluded.sum_dislikes, excluded.last_updated);
