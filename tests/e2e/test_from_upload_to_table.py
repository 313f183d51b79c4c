"""A file goes from upload to table through real Airflow."""

import csv
import io
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Platform
from tests.oracle.tables import tables
from tests.oracle.verdict import judge

COLUMNS = [
    "video_id",
    "channel_id",
    "channel_name",
    "channel_subscribers",
    "description",
    "total_views",
    "total_likes",
    "total_dislikes",
    "date_created",
    "date_updated",
]


def snapshot(seed: int, rows: int) -> bytes:
    """Write a snapshot with ties, several windows, late rows and keys that other seeds share."""
    random_ = random.Random(seed)
    start = datetime(2026, 11, 1, 12) + timedelta(seconds=random_.randrange(120))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for _ in range(rows):
        video = random_.randrange(40)
        channel = video % 7 if random_.random() < 0.95 else random_.randrange(7)
        writer.writerow(
            [
                f"video-{video}",
                f"channel-{channel}",
                random_.choice(["Ada, the Great", 'Line\nbreak "quoted"', "Ünï 🎬", "plain"]),
                random_.randrange(1000),
                random_.choice(["", " padded ", "eins\nzwei", 'say "hi"']),
                random_.choice([0, 2**63 - 1, random_.randrange(10**6)]),
                random_.randrange(1000),
                random_.randrange(100),
                "2020-02-29 00:00:00",
                start + timedelta(seconds=random_.randrange(150)),
            ]
        )
    return out.getvalue().encode()


def assert_tables_equal(platform: Platform, contents: list[bytes]) -> None:
    """Compare every cell of every table with the calculation in plain Python."""
    expected = tables(judge("a.csv", content, datetime.now().astimezone()).rows for content in contents)
    for table, rows in expected.items():
        found = platform.json("sql", f"select * from {table}")
        assert sorted(map(cells, found)) == sorted(map(cells, rows)), table


def cells(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Write a row so that the two sides compare: instants in UTC, numbers in full."""
    return tuple(
        (name, f"{value:%F %T.%f}" if isinstance(value, datetime) else plain(value)) for name, value in row.items()
    )


def plain(value: Any) -> str:
    """Write a JSON value; texts that are instants lose their zone, which is always UTC."""
    if isinstance(value, str):
        try:
            return f"{datetime.fromisoformat(value).replace(tzinfo=None):%F %T.%f}"
        except ValueError:
            return value
    return str(value)


def test_good_files_reach_every_table_and_the_archive(platform: Platform, tmp_path: Path) -> None:
    contents = [snapshot(seed, 300) for seed in range(4)]
    folder = tmp_path / "snapshots"
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"part {number}é.csv").write_bytes(content)
    platform.mdp("upload", str(folder), "--prefix", "youtube_stats", "--wait")
    files = [f for f in platform.json("files") if f["key"].startswith("youtube_stats/part ")]
    assert [f["state"] for f in files] == ["archived"] * 4
    assert [f["rows_loaded"] for f in files] == [300] * 4
    assert all(f["archive_key"].startswith("youtube_stats/20") for f in files)
    assert_tables_equal(platform, contents)

    before = platform.json("checksum")
    (tmp_path / "again.csv").write_bytes(contents[0])
    platform.mdp("upload", str(tmp_path / "again.csv"), "--wait")
    (again,) = [f for f in platform.json("files") if f["key"] == "again.csv"]
    assert (again["state"], again["rows_loaded"]) == ("archived", 0)
    assert again["duplicate_of"] is not None
    assert platform.json("checksum") == before
