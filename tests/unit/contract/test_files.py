"""Whole files: which reason wins, what its message says, and that every byte is drawn once."""

import gzip
import hashlib
import subprocess
import sys
from collections.abc import Iterator

import polars as pl
import pytest
import zstandard

from minidata.contract import FILE_CODES, ROW_CODES, Limits, describe
from minidata.contract.validate import validate
from tests.unit.contract.checking import ARRIVED_AT, DATASET, HEADER, ROW, run

REQUIRED = [name for name, column in DATASET.columns.items() if not column.optional]
GOOD = f"{HEADER}\n{ROW}\n".encode()


def _message(data: bytes, key: str = "a.csv", **settings: int) -> str:
    reason = run(data, key, **settings).verdict.reason  # type: ignore[arg-type]
    assert reason
    return reason.message


@pytest.mark.parametrize(
    ("data", "key", "max_file_bytes"),
    [
        (GOOD, "a.csv", 1 << 20),
        (GOOD * 100, "a.txt", 1 << 20),
        (GOOD * 100, "a.csv", 100),
        (gzip.compress(GOOD * 1000), "a.csv.gz", 10_000),
        (b"broken" * 100, "a.csv.gz", 1 << 20),
        (zstandard.compress(GOOD) + b"behind" * 100, "a.csv.zst", 1 << 20),
        (b"\xff" + GOOD * 100, "a.csv", 1 << 20),
        (b'"x"y' + GOOD * 100, "a.csv", 1 << 20),
        (b"no,header\n" + GOOD * 100, "a.csv", 1 << 20),
    ],
)
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_size_and_hash_are_of_the_whole_object_whatever_is_wrong(
    data: bytes, key: str, max_file_bytes: int, chunk: int
) -> None:
    verdict = run(data, key, max_file_bytes=max_file_bytes, chunk=chunk).verdict
    assert (verdict.size, verdict.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_a_listed_size_over_the_limit_refuses_a_file_without_reading_it_as_csv() -> None:
    drawn = []

    def chunks() -> Iterator[bytes]:
        for _ in range(3):
            drawn.append(1)
            yield GOOD

    verdict = validate(
        chunks(),
        key="a.csv",
        stored_size=1001,
        arrived_at=ARRIVED_AT,
        dataset=DATASET,
        limits=Limits(1000, 0.1, 1000),
        good=lambda _: pytest.fail("no row may be handed on"),
        rejects=lambda _: pytest.fail("no reject may be handed on"),
    )
    assert verdict.reason is not None
    assert verdict.reason.code == "too_large"
    assert (len(drawn), verdict.size) == (3, 3 * len(GOOD))


def test_a_bomb_is_stopped_at_the_limit() -> None:
    bomb = zstandard.compress(bytes(64 << 20))
    assert len(bomb) < 10_000
    assert "larger than the limit of 1,000,000 bytes" in _message(bomb, "a.csv.zst", max_file_bytes=1_000_000)


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("a.csv.gz", b"".join(gzip.compress(bytes([byte])) for byte in GOOD)),
        ("a.csv.zst", b"".join(zstandard.compress(bytes([byte])) for byte in GOOD)),
        ("a.csv.zst", b"\x5f\x2a\x4d\x18\x03\0\0\0abc" + zstandard.compress(GOOD) + b"\x50\x2a\x4d\x18\0\0\0\0"),
    ],
    ids=["members", "frames", "skippable-frames"],
)
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_members_and_frames_are_one_content(key: str, data: bytes, chunk: int) -> None:
    outcome = run(data, key, chunk=chunk)
    assert outcome.code is None
    assert outcome.verdict.rows_good == 1


@pytest.mark.parametrize("tail", [b"\0", b"\n", b"\x1f\x8b", gzip.compress(b"x", mtime=0)[:-1]])
def test_nothing_may_follow_the_last_member(tail: bytes) -> None:
    assert run(gzip.compress(GOOD) + tail, "a.csv.gz").code == "bad_compression"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xef\xbb\xbf \r\n\t", "empty_file"),
        (b"\r", "empty_file"),
        (b"\xef\xbb", "not_utf8"),
        (GOOD.replace(b"v1", b"v\xff") + b'"x"y"\n', "not_utf8"),
        (GOOD + b'"x"y\n' + b"\xff", "not_utf8"),
        (b'a,b\n"x"y', "not_csv"),
        (HEADER.encode() + b",video_id\n" + b'"x"y', "not_csv"),
        (b"video_id,video_id\n", "duplicate_column"),
        (HEADER.encode(), "no_rows"),
        (HEADER.encode() + b"\n\n\r\n", "no_rows"),
    ],
)
def test_the_first_reason_in_the_order_of_the_contract_is_the_verdict(data: bytes, code: str) -> None:
    for slice_bytes in (1, 1 << 20):
        outcome = run(data, slice_bytes=slice_bytes)
        assert outcome.code == code
        assert not outcome.verdict.entries
        assert not outcome.verdict.counts
        assert (outcome.verdict.rows_good, outcome.verdict.rows_rejected) == (0, 0)


def test_rows_checked_before_the_file_is_found_invalid_are_not_reported() -> None:
    outcome = run(GOOD + b"x\n" * 100 + b'"x"y\n', slice_bytes=50)
    assert outcome.code == "not_csv"
    assert (outcome.verdict.rows_rejected, outcome.verdict.counts) == (0, {})


def test_drift_names_every_unknown_column_as_it_comes() -> None:
    outcome = run(f"b,{HEADER}, b ,,\n1,{ROW},2,3,4\n".encode())
    assert outcome.code is None
    assert outcome.verdict.drift == ["b", "b", "", ""]


@pytest.mark.parametrize(
    ("header", "columns", "said"),
    [
        (HEADER.replace("video_id", "vidoe_id"), ["video_id"], "it has `vidoe_id`: did you mean `video_id`?"),
        (HEADER.replace("total_views", "Total Views"), ["total_views"], "did you mean `total_views`?"),
        (HEADER.replace("video_id,", ""), ["video_id"], "The header lacks video_id. The first line is"),
        (
            HEADER.replace(",", ";"),
            REQUIRED,
            'The cells are separated by semicolons: `dialect: {delimiter: ";"}` in datasets/youtube_stats/dataset.yaml',
        ),
        (HEADER.replace(",", "\t"), REQUIRED, 'separated by tabs: `dialect: {delimiter: "\\t"}`'),
        (HEADER.replace(",", "|"), REQUIRED, "separated by vertical bars"),
        ("a,b", REQUIRED, "The header lacks video_id, channel_id"),
    ],
)
def test_a_missing_column_is_named_with_a_guess(header: str, columns: list[str], said: str) -> None:
    reason = run(f"{header}\n{ROW}\n".encode()).verdict.reason
    assert reason is not None
    assert reason.code == "missing_column"
    assert reason.columns == columns
    assert said in reason.message


@pytest.mark.parametrize(
    ("data", "key", "said"),
    [
        (b"x", "folder/a.json", "The name a.json does not end in"),
        (GOOD + b"\n\xff", "a.csv", "The text on line 4 is not UTF-8 (byte 0xFF)."),
        (GOOD.decode().encode("utf-16"), "a.csv", 'The text is UTF-16: `dialect: {encoding: "utf-16"}`'),
        (gzip.compress(GOOD), "a.csv", "(byte 0x8B). The file looks like gzip, whose name must end in .csv.gz."),
        (zstandard.compress(GOOD), "a.csv", "The file looks like zstd, whose name must end in .csv.zst."),
        (b"PK\x03\x04\x14\0\xff", "a.csv", "The file looks like a ZIP archive, such as an Excel workbook:"),
        (b"\xef\xbb\xbf" + GOOD + "é".encode()[:1], "a.csv", "on line 3 is not UTF-8 (byte 0xC3)."),
        (GOOD + b'"x"y', "a.csv", "Line 3 is not CSV"),
        (HEADER.encode() + b",video_id\n", "a.csv", "names more than once: video_id."),
        (GOOD + b"x", "a.csv", "1 of 2 rows are rejected, and at most a share of 0.1 may be."),
        (gzip.compress(GOOD)[:-1], "a.csv.gz", "gzip member number 1: the data ends too early"),
        (zstandard.compress(GOOD) + b"abcd", "a.csv.zst", "zstd frame number 2: "),
    ],
)
def test_a_message_says_what_is_wrong_where_and_then_the_fix(data: bytes, key: str, said: str) -> None:
    outcome = run(data, key)
    assert said in _message(data, key)
    assert _message(data, key).endswith(describe(str(outcome.code)).fix)


def test_every_code_has_words_of_its_own() -> None:
    descriptions = [*FILE_CODES, *ROW_CODES]
    assert len({d.code for d in descriptions}) == len({d.says for d in descriptions}) == len(descriptions) == 35
    assert all(d.says.endswith(".") and d.fix.endswith(".") for d in descriptions)


def test_what_a_taker_raises_is_raised() -> None:
    def refuse(_: pl.DataFrame) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        validate(
            [GOOD],
            key="a.csv",
            stored_size=len(GOOD),
            arrived_at=ARRIVED_AT,
            dataset=DATASET,
            limits=Limits(1 << 20, 0.1, 1 << 20),
            good=refuse,
            rejects=lambda _: None,
        )


def test_importing_it_starts_no_thread_so_that_a_process_may_fork_afterwards() -> None:
    count = "len(os.listdir('/proc/self/task'))"
    code = f"import os, numpy, polars; a = {count}; import minidata.contract.validate; print(a == {count})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_column_may_have_other_names() -> None:
    views = DATASET.columns["total_views"].model_copy(update={"aliases": ["views", "Aufrufe"]})
    dataset = DATASET.model_copy(update={"columns": {**DATASET.columns, "total_views": views}})
    renamed = GOOD.replace(b"total_views", b"Aufrufe")
    outcome = run(renamed, dataset=dataset)
    assert (outcome.code, outcome.verdict.drift, outcome.rows[0]["total_views"]) == (None, [], 2)
    twice = run(renamed.replace(b"\n", b",views\n"), dataset=dataset).verdict.reason
    assert twice is not None
    assert (twice.code, twice.columns) == ("duplicate_column", ["total_views"])
