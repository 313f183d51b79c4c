"""A file goes from upload to table through real Airflow, and every cell is as plain Python computes it."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Platform
from tests.oracle.hostile import hostile_folder
from tests.oracle.verdict import judge

COLUMNS = (
    "video_id,channel_id,channel_name,channel_subscribers,description,"
    "total_views,total_likes,total_dislikes,date_created,date_updated"
)


def snapshot(seed: int, rows: int) -> bytes:
    """Write a snapshot with ties, several windows, late rows and keys that other seeds share."""
    random_ = random.Random(seed)
    start = datetime(2026, 11, 1, 12) + timedelta(seconds=random_.randrange(120))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS.split(","))
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


def test_good_files_reach_every_table_and_the_archive(platform: Platform) -> None:
    uploads = {f"youtube_stats/part {seed}é.csv": snapshot(seed, 300) for seed in range(4)}
    files = platform.load(uploads)
    assert {(f["state"], f["rows_loaded"]) for f in files.values()} == {("archived", 300)}
    assert all(f["archive_key"].startswith("youtube_stats/20") for f in files.values())
    platform.assert_tables_as_the_oracle_says()


def test_the_same_content_again_changes_nothing(platform: Platform) -> None:
    platform.load({"once.csv": snapshot(50, 100)})
    before = platform.json("checksum")
    (again,) = platform.load({"again.csv": snapshot(50, 100)}).values()
    assert (again["state"], again["rows_loaded"]) == ("archived", 0)
    assert again["duplicate_of"] == "once.csv"
    assert "same content as once.csv" in platform.mdp("files").stdout
    assert platform.json("checksum") == before


def test_upload_keeps_the_paths_below_a_folder_in_the_keys(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    content = snapshot(60, 10)
    (tmp_path / "a" / "b" / "c.csv").write_bytes(content)
    platform.mdp("upload", str(tmp_path), "--prefix", "youtube_stats", "--wait")
    platform.uploaded["youtube_stats/a/b/c.csv"] = content
    assert "youtube_stats/a/b/c.csv" in {f["key"] for f in platform.json("files")}


def test_what_is_wrong_is_told_with_line_column_code_and_value(platform: Platform) -> None:
    rows = snapshot(70, 30).split(b"\r\n")
    bad = b"\r\n".join([*rows[:-1], b"v,c,name,ten,,1,1,1,2020-01-01 00:00:00,2026-11-01 00:00:00", b""])
    (file,) = platform.load({"bad row.csv": bad}).values()
    assert (file["state"], file["rows_rejected"], file["counts"]) == ("archived", 1, {"not_an_integer": 1})
    line = bad[: bad.index(b"v,c,name")].count(b"\n") + 1
    entry = {"line": line, "column": "channel_subscribers", "code": "not_an_integer", "value": "ten"}
    assert platform.json("quarantine", "show", "bad row.csv") == [entry]


def folder(seed: int, files: int) -> list[tuple[str, bytes]]:
    """Make a hostile folder whose keys no other folder has."""
    uploads = hostile_folder(seed, files, datetime.now(UTC))
    return [(f"{seed}/{key if len(key.encode()) < 1000 else key[-200:]}", content) for key, content in uploads]


def files_as_the_oracle_says(platform: Platform, uploads: dict[str, bytes]) -> None:
    platform.load(uploads)
    files = {file["key"]: file for file in platform.json("files")}
    for key, content in uploads.items():
        file = files[key]
        verdict = judge(key, content, datetime.fromisoformat(file["arrived_at"]))
        state = "quarantined" if verdict.reason else "archived"
        reasons = [verdict.reason] if verdict.reason else []
        assert (file["state"], file["reasons"]) == (state, reasons), key
        assert (file["rows_rejected"], file["counts"]) == (verdict.rows_rejected, verdict.counts), key
        assert file["drift"] == verdict.drift, key
    platform.assert_tables_as_the_oracle_says()


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_a_hostile_folder_in_one_burst(platform: Platform, seed: int) -> None:
    files_as_the_oracle_says(platform, dict(folder(seed, 40)))


def test_a_hostile_folder_in_another_order(platform: Platform) -> None:
    uploads = folder(24, 40)
    random.Random(24).shuffle(uploads)
    files_as_the_oracle_says(platform, dict(uploads))
