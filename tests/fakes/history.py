"""Two hours of a small warehouse, written straight into its tables: what the views and tiles are tested on.

Names that try to break out, two channels of one name, counts beyond 2^53, a video from the future, and files in
every state. Gains and totals are computed here in SQL of our own, not by the loader.
"""

from datetime import datetime
from typing import Any

import psycopg

WINDOWS = 240  # of 30 seconds, up to now
BIG = 2**53 + 1  # the first whole number that a double cannot hold
BIGGEST = 2**63 - 1
TABLES = (
    *(f"youtube_stats.{t}" for t in ("video_metrics", "channel_metrics", "videos", "channels", "channel_stats")),
    *(f"mdp.{t}" for t in ("files", "batches", "inbox")),
)
HOSTILE = 'O\'Malley "Labs" {{x}} [[y]] 100% \\ ÿ'
TWINS = ("UC-twin-1", "UC-twin-2")

# video, channel, first line, views at first, views in each window of the older and of the newer half hour,
# likes and dislikes at first, likes and dislikes in each window
VIDEOS = [
    ("steady", "UC-hostile", "Steady as she goes", 10_000, 50, 50, 900, 10, 3, 0),
    ("rising", "UC-hostile", "Rising; 'drop table x'--", 2_000, 10, 90, 500, 5, 4, 0),
    ("fading", "UC-twin-1", "Fading, slowly", 50_000, 80, 20, 4_000, 900, 1, 0),
    ("disputed", "UC-twin-2", "Disputed", 5_000, 5, 5, 300, 400, 1, 2),
    ("loved", "UC-hostile", "Loved 100%", 9_000, 1, 1, 990, 3, 1, 0),
    ("few", "UC-twin-2", "", 40, 1, 1, 2, 1, 0, 0),
    ("big", "UC-big", "Beyond a double", BIG - WINDOWS + 1, 1, 1, 10, 1, 0, 0),
    ("biggest", "UC-biggest", "As far as it goes", BIGGEST, 0, 0, BIGGEST, BIGGEST, 0, 0),
]
CHANNELS = [
    ("UC-hostile", HOSTILE, 1_000, 3),
    ("UC-twin-1", "Twins", 5_000, -2),
    ("UC-twin-2", "Twins", 700, 1),
    ("UC-big", "Big", BIG, 0),
    ("UC-biggest", "Biggest", BIGGEST - WINDOWS, 1),
]
# key, state, reasons, seconds from upload to row, rows loaded, rows rejected, counts
FILES: list[tuple[str, str, list[str], float | None, int | None, int | None, str]] = [
    ("a.csv", "archived", [], 1.5, 100, 0, "{}"),
    ("b.csv", "archived", [], 2.5, 90, 10, '{"negative": 4, "missing_value": 6}'),
    ("copy of a.csv", "archived", [], 400, 0, 0, "{}"),
    ("c.csv", "loaded", [], 3.5, 50, 2, '{"negative": 2}'),
    ("bad.csv", "quarantined", ["missing_column"], None, None, None, "{}"),
    ("worse.csv", "invalid", ["not_utf8"], None, None, None, "{}"),
    ("hopeless.csv", "failed", [], None, None, None, "{}"),
    ("new.csv", "pending", [], None, None, None, "{}"),
]


def write_history(owner: psycopg.Connection[Any]) -> datetime:
    """Write it, in place of whatever is there; needs `mdp_owner`.

    Returns:
        Start of the newest window.
    """
    for table in TABLES:
        owner.execute(f"truncate {table} cascade".encode())
    now = owner.execute("select date_bin('30 seconds', now(), timestamptz '2000-01-01 00:00:00+00')").fetchone()
    assert now is not None
    (newest,) = now
    with owner.cursor() as cursor:
        cursor.executemany(_VIDEO, [(newest, *video) for video in VIDEOS])
        cursor.executemany(_CHANNEL, [(newest, *channel) for channel in CHANNELS])
        # of a clock that runs ahead: accepted, and no reason to take tomorrow for now
        cursor.execute(_FUTURE, {"newest": newest})
        for statement in (_GAINS, *SUMMARIES):
            cursor.execute(statement)
        cursor.executemany(_FILE, FILES)
    owner.commit()
    assert isinstance(newest, datetime)
    return newest


_VIDEO = f"""
insert into youtube_stats.video_metrics (date_updated, video_id, channel_id, channel_name, description,
    total_views, total_likes, total_dislikes, last_updated)
select newest - (n - 1) * interval '30 seconds', video, channel, '', title || E'\\n\\nmore of it',
       views + older * ({WINDOWS} - greatest(n, 60)) + newer * (60 - least(n, 60)),
       likes + more_likes * ({WINDOWS} - n), dislikes + more_dislikes * ({WINDOWS} - n),
       newest - (n - 1) * interval '30 seconds' + interval '1 second'
from (values (%s::timestamptz, %s, %s, %s, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint,
              %s::bigint)) v (newest, video, channel, title, views, older, newer, likes, dislikes, more_likes,
                              more_dislikes), generate_series({WINDOWS}, 1, -1) n
"""
_CHANNEL = f"""
insert into youtube_stats.channel_metrics (date_updated, channel_id, channel_name, channel_subscribers,
    subscribers_gained, last_updated)
select newest - (n - 1) * interval '30 seconds', channel, name, subscribers + gain * ({WINDOWS} - n),
       case when n < {WINDOWS} then gain end, newest - (n - 1) * interval '30 seconds' + interval '1 second'
from (values (%s::timestamptz, %s, %s, %s::bigint, %s::bigint)) v (newest, channel, name, subscribers, gain),
     generate_series({WINDOWS}, 1, -1) n
"""
_FUTURE = """
insert into youtube_stats.video_metrics (date_updated, video_id, channel_id, channel_name, description, total_views,
    total_likes, total_dislikes, last_updated)
select %(newest)s + interval '20 hours', 'early', 'UC-hostile', '', 'From tomorrow', 1, 0, 0, %(newest)s
"""
_GAINS = """
update youtube_stats.video_metrics t set views_gained = g.views, likes_gained = g.likes,
    dislikes_gained = g.dislikes
from (select video_id, date_updated,
             total_views - lag(total_views) over w as views, total_likes - lag(total_likes) over w as likes,
             total_dislikes - lag(total_dislikes) over w as dislikes
      from youtube_stats.video_metrics window w as (partition by video_id order by date_updated)) g
where (t.video_id, t.date_updated) = (g.video_id, g.date_updated)
"""
SUMMARIES = (  # of `video_metrics` and `channel_metrics`, for whoever writes these by hand
    """
    insert into youtube_stats.videos (channel_id, video_id, description, date_created, total_views, total_likes,
        total_dislikes, first_updated, last_updated)
    select channel_id, video_id, max(description), min(date_updated), max(total_views), max(total_likes),
           max(total_dislikes), min(date_updated), max(last_updated)
    from youtube_stats.video_metrics group by channel_id, video_id
    """,
    """
    insert into youtube_stats.channels (channel_id, channel_subscribers, channel_name, last_updated)
    select distinct on (channel_id) channel_id, channel_subscribers, channel_name, last_updated
    from youtube_stats.channel_metrics order by channel_id, date_updated desc
    """,
    """
    insert into youtube_stats.channel_stats (channel_id, channel_subscribers, channel_name, total_videos, total_views,
        total_likes, total_dislikes, sum_views, sum_likes, sum_dislikes, last_updated)
    select channel_id, max(channel_subscribers), max(channel_name), count(*), max(total_views), max(total_likes),
           max(total_dislikes), sum(total_views), sum(total_likes), sum(total_dislikes), max(v.last_updated)
    from youtube_stats.videos v join youtube_stats.channels using (channel_id) group by channel_id
    """,
)
_FILE = """
insert into mdp.files (key, version, size, arrived_at, dataset, state, reasons, loaded_at, rows_loaded, rows_rejected,
    counts, message, entries)
select 'youtube_stats/' || key, 'v1', 10, now() - interval '10 minutes', 'youtube_stats', state::mdp.file_state,
       reasons,
       now() - interval '10 minutes' + seconds * interval '1 second', loaded, rejected, counts, 'what was wrong',
       coalesce((select json_agg(json_build_object('line', line, 'column', 'total_views', 'code', code, 'value', '-1'))
                 from jsonb_each_text(counts) c (code, number), generate_series(1, number::int) line), '[]')
from (values (%s, %s, %s::text[], %s::float8, %s::bigint, %s::bigint, %s::jsonb))
    f (key, state, reasons, seconds, loaded, rejected, counts)
"""
