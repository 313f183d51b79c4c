"""No two contents ever share a name, and every name fits into S3."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from etl.move_files import archive_key, quarantine_key, reasons_key, rejects_key

ARRIVED = datetime(2026, 11, 3, 23, 59, tzinfo=UTC)
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024).filter(
    lambda key: len(key.encode()) <= 1024
)
hashes = st.integers(0, 3).map(lambda n: f"{n:064x}")


def test_the_hash_comes_before_any_extension() -> None:
    sha = "a" * 64
    for key, name in {
        "youtube_stats/a.csv": f"youtube_stats/a.{sha}.csv",
        "a.CSV.GZ": f"a.{sha}.CSV.GZ",
        "a.csv.zst": f"a.{sha}.csv.zst",
        "a.txt": f"a.{sha}.txt",
        "folder.v1/a": f"folder.v1/a.{sha}",
        ".csv": f".csv.{sha}",
    }.items():
        assert quarantine_key(key, sha) == f"files/{name}"
        assert archive_key(key, sha, "d", ARRIVED) == f"d/2026/11/03/{name}"
    assert rejects_key("a.csv", sha, "d", ARRIVED) == f"rejects/d/2026/11/03/a.{sha}.csv.rejects.csv"


@given(st.lists(st.tuples(keys, hashes), min_size=2, max_size=2, unique=True))
def test_different_objects_get_different_names(pair: list[tuple[str, str]]) -> None:
    one, other = (quarantine_key(key, sha) for key, sha in pair)
    assert one != other


@given(keys, hashes)
def test_every_name_and_its_page_of_reasons_fit(key: str, sha: str) -> None:
    for name in (reasons_key(quarantine_key(key, sha)), rejects_key(key, sha, "youtube_stats", ARRIVED)):
        assert len(name.encode()) <= 1024
        assert len(name.rpartition("/")[2].encode()) <= 255


def test_long_keys_that_differ_only_at_the_end_stay_apart() -> None:
    sha = "b" * 64
    one, other = (quarantine_key("x" * 1018 + end, sha) for end in ("a.csv", "b.csv"))
    assert one != other
    assert one.endswith(f".{sha}.csv")


def test_a_long_name_keeps_its_folder_and_its_beginning_and_leaves_room_for_its_page() -> None:
    name = archive_key("folder/" + "é" * 100 + ".csv.gz", "c" * 64, "d", ARRIVED)
    assert name.startswith("d/2026/11/03/folder/éééééééééé")
    assert len(reasons_key(name).rpartition("/")[2].encode()) <= 255


def test_a_line_end_behind_the_extension_is_not_lost() -> None:
    assert quarantine_key("a.csv\n", "d" * 64) != quarantine_key("a.csv", "d" * 64)
