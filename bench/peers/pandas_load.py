"""Loads a file as most people would: pandas groups it, `to_sql` writes it. No checks, no keys, one file only.

Usage: pandas_load.py FILE CONNINFO SCHEMA; prints what it took, without the imports, as JSON.
"""

# ruff: noqa: INP001
import json
import sys
import time
from pathlib import Path

import pandas as pd
import psycopg
from sqlalchemy import create_engine

COUNTS = ["total_views", "total_likes", "total_dislikes"]


def latest(rows: pd.DataFrame, keys: list[str], columns: list[str]) -> pd.DataFrame:
    """Return the values of each key's latest row."""
    return rows.sort_values(["seen", *columns]).groupby(keys, sort=False)[columns].last()


def gains(table: pd.DataFrame, key: str, columns: dict[str, str], least: int | None = None) -> pd.DataFrame:
    """Add to each row what its values have gained since the window before."""
    table = table.sort_values([key, "date_updated"])
    for gain, column in columns.items():
        difference = table[column].astype("Int64") - table.groupby(key, sort=False)[column].shift().astype("Int64")
        table[gain] = difference if least is None else difference.clip(lower=least)
    return table


def tables(file: str) -> dict[str, pd.DataFrame]:
    """Read a file and make the five tables of it."""
    rows = pd.read_csv(file, parse_dates=["date_created", "date_updated"], keep_default_na=False)
    rows = rows.rename(columns={"date_updated": "seen"})
    rows["date_updated"] = rows["seen"].dt.floor("30s")
    window = ["date_updated", "video_id"]
    grouped = rows.groupby(window, sort=False)
    video_metrics = grouped[COUNTS].max().join(latest(rows, window, ["channel_id", "channel_name", "description"]))
    video_metrics["last_updated"] = grouped["seen"].max()
    names = {"views_gained": "total_views", "likes_gained": "total_likes", "dislikes_gained": "total_dislikes"}
    video_metrics = gains(video_metrics.reset_index(), "video_id", names, 0)
    window = ["date_updated", "channel_id"]
    channel_metrics = latest(rows, window, ["channel_subscribers", "channel_name"])
    channel_metrics["last_updated"] = rows.groupby(window, sort=False)["seen"].max()
    channel_metrics = gains(channel_metrics.reset_index(), "channel_id", {"subscribers_gained": "channel_subscribers"})
    pair = ["channel_id", "video_id"]
    grouped = rows.groupby(pair, sort=False)
    videos = grouped[COUNTS].max().join(latest(rows, pair, ["description"]))
    videos = videos.join(grouped.agg(date_created=("date_created", "min"), first_updated=("seen", "min")))
    videos = videos.join(grouped["seen"].max().rename("last_updated")).reset_index()
    channels = latest(rows, ["channel_id"], ["channel_subscribers", "channel_name"])
    channels["last_updated"] = rows.groupby("channel_id", sort=False)["seen"].max()
    of_channel = videos.groupby("channel_id", sort=False)
    totals = {"total_videos": ("video_id", "count")} | {name: (name, "max") for name in COUNTS}
    totals |= {name.replace("total", "sum"): (name, "sum") for name in COUNTS}
    return {
        "video_metrics": video_metrics,
        "channel_metrics": channel_metrics,
        "videos": videos,
        "channels": channels.reset_index(),
        "channel_stats": channels.join(of_channel.agg(**totals)).reset_index(),
    }


def main() -> None:
    """Load the file."""
    file, place, schema = sys.argv[1:]
    options = f"-csearch_path={schema} -ctimezone=UTC"
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(place, options=options))
    cpu, wall = time.process_time(), time.perf_counter()
    with engine.begin() as connection:
        for name, table in tables(file).items():
            times = {column: table[column].dt.tz_localize("UTC") for column in table.select_dtypes("datetime")}
            table.assign(**times).to_sql(name, connection, schema=schema, index=False, chunksize=10_000)
    took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    sys.stdout.write(json.dumps(took | {"peak": int(status["VmHWM"].split()[0]) / 1024}))


if __name__ == "__main__":
    main()
