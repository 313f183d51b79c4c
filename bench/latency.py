"""Measures upload → row from outside: a platform of its own, small uploads at a pace, and polls of `video_metrics`.

The clock starts when `./mdp upload` has returned, and stops with the first poll that sees the row.

Example: ./mdp dev bench latency --uploads 50 --every 3
"""

# ruff: noqa: INP001, T201  a script
import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median, quantiles

import psycopg
from memory import mdp

HEADER = (
    "video_id,channel_id,channel_name,channel_subscribers,description,"
    "total_views,total_likes,total_dislikes,date_created,date_updated\n"
)
ROW = "{0},c1,A channel,10,About it,{1},1,0,2020-01-01 00:00:00,2026-11-01 12:00:00\n"
POLL_SECONDS = 0.01
PATIENCE_SECONDS = 60


def upload_and_see(state: Path, folder: Path, number: int, address: str, seen: list[float]) -> None:
    """Upload a file of one row, and note how long after the command's return the row is there."""
    file = folder / f"latency-{number:05}.csv"
    file.write_text(HEADER + ROW.format(f"latency-{number}", number), encoding="utf-8")
    with psycopg.connect(address, autocommit=True) as reader:
        mdp(state, "upload", str(file), "--prefix", "youtube_stats")
        returned = time.monotonic()
        while time.monotonic() - returned < PATIENCE_SECONDS:
            query = "select 1 from mart.video_metrics where video_id = %s"
            if reader.execute(query, [f"latency-{number}"], prepare=True).fetchone():
                break
            time.sleep(POLL_SECONDS)
        seen.append(time.monotonic() - returned)


def main() -> None:
    """Start the platform, warm it up with one upload, measure, and print the platform's own account."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=50)
    parser.add_argument("--every", type=float, default=3, help="seconds from one upload to the next")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mdp-latency-") as place:
        state, folder, seen = Path(place) / "state", Path(place), list[float]()
        mdp(state, "up", "--no-bi", "--no-simulator")
        try:
            exports = (line.removeprefix("export ").split("=", 1) for line in mdp(state, "env").splitlines())
            address = dict(exports)["MDP_DATABASE_URL"].strip("'")
            upload_and_see(state, folder, 0, address, list[float]())
            time.sleep(5)
            threads = []
            for number in range(1, asked.uploads + 1):
                began = time.monotonic()
                arguments = (state, folder, number, address, seen)
                threads.append(threading.Thread(target=upload_and_see, args=arguments))
                threads[-1].start()
                time.sleep(max(0.0, asked.every - (time.monotonic() - began)))
            for thread in threads:
                thread.join()
            at = quantiles(seen, n=100, method="inclusive")
            print(
                f"{len(seen)} uploads, one every {asked.every} s: p50 {median(seen):.2f} s, p95 {at[94]:.2f} s, "
                f"p99 {at[98]:.2f} s, greatest {max(seen):.2f} s"
            )
            print(mdp(state, "status", "--latency"))
            sys.stdout.flush()
        finally:
            mdp(state, "destroy", "--yes")


if __name__ == "__main__":
    main()
