# ruff: noqa: INP001
"""Measures validation beside the plain transform that trusts its file, each in a process of its own, in turn.

Example: ./mdp dev bench validation --rows 1000000 --rounds 5
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import zstandard

from minidata.contract import Limits, Verdict
from minidata.contract.validate import validate
from minidata.dataset import read_dataset

PROJECT = Path(__file__).parents[1]
ARRIVED_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORDS = "music,vlog,how to,Tiếng Việt,日本語,gaming,café,🎉 live,the best of,cats".split(",")  # noqa: SIM905
WORDS += ["news, daily", "line one\nline two"]
COLUMNS = list(read_dataset(PROJECT / "datasets" / "youtube_stats").columns)
TIMES = ["date_created", "date_updated"]
COUNTS = ["total_views", "total_likes", "total_dislikes"]
CHUNK = 1 << 20  # bytes read at once
SLICE = 16 << 20  # bytes, as in the settings


def make_rows(rows: int, seed: int = 7, *, distinct: bool = False) -> pl.DataFrame:
    """Make a snapshot of so many rows as text: 20,000 videos of 500 channels, seen within some 75 seconds.

    If the rows are to be distinct, each video is seen once in a window of 30 seconds, in as many windows as it takes.
    """
    rng = Random(seed)  # noqa: S311  # made-up data
    videos = []
    for n in range(20_000):
        channel = rng.randrange(500)
        created = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(86_400 * 500))
        name = f"Channel {channel}{', Inc.' if channel % 7 == 0 else ''}"
        text = " ".join(rng.choices(WORDS, k=rng.randint(3, 8))) + f" #{n}"
        videos.append((f"v{n:010}", f"UC{channel:020}", name, 1000 + channel * 977, text, created))
    seen = pl.DataFrame(videos, schema=[*COLUMNS[:5], "date_created"], orient="row")
    picked = pl.Series([int(20_000 * rng.random() ** 2) for _ in range(rows)])
    second = pl.Series("second", [rng.randrange(75) for _ in range(rows)])
    if distinct:
        number = pl.int_range(rows, eager=True)
        picked, second = number * 7_919 % 20_000, (number // 20_000 * 30 + second % 30).alias("second")
    start = datetime(2026, 11, 1, tzinfo=UTC)
    views = (pl.col("channel_subscribers") * 31 + pl.col("second") * 40).alias("total_views")
    return (
        seen[picked]
        .with_columns(second)
        .with_columns(views, (views // 20).alias("total_likes"), (views // 400).alias("total_dislikes"))
        .with_columns(pl.lit(start).alias("date_updated") + pl.duration(seconds="second"))
        .with_columns(pl.col(TIMES).dt.strftime("%Y-%m-%d %H:%M:%S"))
        .select(COLUMNS)
    )


def write_files(rows: int, folder: Path) -> dict[str, Path]:
    """Write the snapshot in each of the ways that are measured, one after the other."""
    frame = make_rows(rows)
    one_line = pl.col("description").str.replace_all("\n", " ")
    # A quote in an unquoted cell: U+0001 stands for it until the cells are written.
    bare_quotes = one_line.str.replace_all(",", " ") + " 12\x01 \x01x\x01 "
    negative = (
        pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("-1")).otherwise(pl.col("total_likes").cast(pl.String))
    )
    ways: dict[str, Callable[[], bytes]] = {
        "plain": lambda: frame.write_csv().encode(),
        "crlf": lambda: frame.with_columns(one_line).write_csv(line_terminator="\r\n").encode(),
        "odd-times": lambda: frame.with_columns(pl.col(TIMES).str.replace(" ", "T") + ".25+01:00").write_csv().encode(),
        "bare-quotes": lambda: frame.with_columns(bare_quotes).write_csv().encode().replace(b"\x01", b'"'),
        "rejects-10%": lambda: frame.with_columns(negative.alias("total_likes")).write_csv().encode(),
        "gz": lambda: gzip.compress(frame.write_csv().encode(), 6),
        "zst": lambda: zstandard.compress(frame.write_csv().encode()),
    }
    files = {}
    for name, content in ways.items():
        files[name] = folder / f"{name}.csv{f'.{name}' if name in ('gz', 'zst') else ''}"
        files[name].write_bytes(content())
    return files


def run_validation(file: Path) -> Verdict:
    """Read a file, split its rows, and let the typed frames go."""

    def chunks() -> Iterator[bytes]:
        with file.open("rb") as opened:
            while chunk := opened.read(CHUNK):
                yield chunk

    return validate(
        chunks(),
        key=file.name,
        stored_size=file.stat().st_size,
        arrived_at=ARRIVED_AT,
        dataset=read_dataset(PROJECT / "datasets" / "youtube_stats"),
        limits=Limits(1 << 40, 0.1, SLICE),
        good=lambda _: None,
        rejects=lambda _: None,
    )


def run_transform(file: Path) -> list[pl.DataFrame]:
    """Read a plain file with the types it should have, and group it as the rollups do, without any check."""
    schema = {name: pl.Int64 if name in (*COUNTS, "channel_subscribers") else pl.String for name in COLUMNS}
    rows = pl.scan_csv(file, schema=schema).with_columns(
        pl.col(TIMES).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    )
    latest = ["date_updated", "channel_subscribers", "channel_name"]
    windows = rows.group_by("video_id", pl.col("date_updated").dt.truncate("30s").alias("window")).agg(
        pl.col([*COUNTS, "channel_name", "description"]).max()
    )
    videos = rows.group_by("channel_id", "video_id").agg(pl.col(COUNTS).max(), pl.col(latest).sort_by(latest).last())
    channels = videos.group_by("channel_id").agg(
        pl.len().alias("videos"), pl.col(COUNTS).sum(), pl.col(latest).sort_by(latest).last()
    )
    return pl.collect_all([windows, channels], engine="streaming")


def run_one(what: str, file: Path) -> None:
    """Run one of them in this process, warm, and print what it took as JSON."""
    run: Callable[[Path], object] = run_transform if what == "transform" else run_validation
    small = file.with_name("small.csv")
    run(small)
    cpu, wall = time.process_time(), time.perf_counter()
    result = run(file)
    took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    # Not getrusage: its peak would be that of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) / 1024
    rows = result.rows_good + result.rows_rejected if isinstance(result, Verdict) else 0
    reason = result.reason if isinstance(result, Verdict) else None
    if reason:
        raise SystemExit(f"{file} is invalid: {reason.message}")
    sys.stdout.write(json.dumps({**took, "peak": peak, "rows": rows}))


def measure(what: str, file: Path) -> dict[str, float]:
    """Run one of them in a new process.

    Returns:
        Seconds of `wall` and `cpu`, `peak` memory in MiB.
    """
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, __file__, "--one", what, str(file)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Measure all of them in turn and print the best round of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        run_one(asked.one[0], Path(asked.one[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(asked.rows, Path(folder))
        (Path(folder) / "small.csv").write_text(make_rows(100).write_csv())
        runs = {"transform": files["plain"], **files}
        rounds = [{name: measure(name, file) for name, file in runs.items()} for _ in range(asked.rounds)]
        size = files["plain"].stat().st_size / 2**20
        out = [f"{asked.rows:,} rows, {size:.0f} MiB plain; best of {asked.rounds} rounds, against the plain transform"]
        out.append(f"{'':14}{'wall s':>8}{'ratio':>7}{'cpu s':>8}{'ratio':>7}{'peak MiB':>10}")
        for name in runs:
            best = {unit: min(measured[name][unit] for measured in rounds) for unit in ("wall", "cpu")}
            base = {unit: min(measured["transform"][unit] for measured in rounds) for unit in best}
            peak = max(measured[name]["peak"] for measured in rounds)
            cells = "".join(f"{best[unit]:8.3f}{best[unit] / base[unit]:7.2f}" for unit in best)
            out.append(f"{name:14}{cells}{peak:10.0f}")
        sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
