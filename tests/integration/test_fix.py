"""`mdp quarantine show`, `get` and `fix`: from a refused file to its rows in the tables, by the command alone."""

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from minidata import ledger
from minidata.errors import PermanentError
from minidata.quarantine.change import Change
from minidata.quarantine.fix import prepare, send
from minidata.warehouse.connection import connect
from tests.corpus.case import HEADER, good_lines
from tests.integration.conftest import Pipeline
from tests.integration.test_command import mdp
from tests.integration.test_review import BAD, GOOD, ONE_REJECT, arrive, open_keys

EUROPEAN = "\n".join(line.replace(",", ";") for line in f"{HEADER}\n{good_lines('ä', 3)}".splitlines()).encode("cp1252")
TEN = f"{HEADER}\n{good_lines('one', 1).replace(',10,', ',ten,', 1)}".encode()
NINE = f"{HEADER}\n{good_lines('nine', 9)}"
NO_VIEWS = NINE.replace("total_views", "views", 1).encode()


def fixed(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    (report,) = json.loads(mdp(tmp_path, "quarantine", "fix", *arguments, "--json"))
    assert isinstance(report, dict)
    return report


@pytest.mark.parametrize(
    ("key", "content", "options"),
    [
        ("semicolons.csv", EUROPEAN, ["--delimiter", ";", "--encoding", "cp1252"]),
        ("utf16.csv", NINE.encode("utf-16"), ["--encoding", "utf-16"]),
        ("renamed.csv", NINE.replace("channel_id", "chanel", 1).encode(), ["--rename", "chanel=channel_id"]),
        ("cr.csv", NINE.replace("\n", "\r").encode(), []),
        ("type.txt", NINE.encode(), ["--key", "type.csv"]),
        ("packed.csv.gz", gzip.compress(NO_VIEWS), ["--rename", "views=total_views"]),
        ("cell.csv", TEN, ["--set", "2:total_likes=10"]),
    ],
)  # fmt: skip
def test_a_refused_file_is_loaded_after_its_fix(
    pipeline: Pipeline, tmp_path: Path, key: str, content: bytes, options: list[str]
) -> None:
    arrive(pipeline, key, content)
    assert open_keys(pipeline) == [key]
    dry = fixed(tmp_path, key, *options)
    assert not dry["sent"]
    assert not dry["before"]["accepted"]
    assert dry["after"]["accepted"], dry
    assert pipeline.drain() == 0
    sent = fixed(tmp_path, key, *options, "--yes")
    assert sent["sent"]
    assert sent["fixes"] == pipeline.files()[0].version
    pipeline.drain()
    assert open_keys(pipeline) == []
    old, new = pipeline.files()
    assert (new.state, new.rows_loaded, new.fixes) == ("archived", dry["after"]["rows_good"], old.version)
    assert old.why == "A fix was accepted."


def test_a_rejected_row_is_shown_with_its_cell_marked_and_fixed(pipeline: Pipeline, tmp_path: Path) -> None:
    arrive(pipeline, "rows/a b.csv", ONE_REJECT)
    said = mdp(tmp_path, "quarantine", "show", "rows/a b.csv")
    (entry,) = json.loads(mdp(tmp_path, "quarantine", "show", "rows/a b.csv", "--json"))
    line = entry["line"]
    assert f"> {line:>4}  two" in said
    assert "»ten«" in said
    assert f"  {line - 1:>4}  one" in said
    assert f" quarantine fix 'rows/a b.csv' --set {line}:{entry['column']}=VALUE`" in said
    report = fixed(tmp_path, "rows/a b.csv", "--set", f"{line}:{entry['column']}=10", "--yes")
    assert (report["before"]["rows_rejected"], report["after"]["rows_rejected"], report["changed"]) == (1, 0, 1)
    pipeline.drain()
    assert open_keys(pipeline) == []


def test_a_fix_that_does_not_help_is_not_sent(pipeline: Pipeline, tmp_path: Path) -> None:
    arrive(pipeline, "a.csv", ONE_REJECT)
    worse = fixed(tmp_path, "a.csv", "--set", "2:total_views=x")
    assert worse["worse"]
    with pytest.raises(PermanentError, match="makes it worse"):
        mdp(tmp_path, "quarantine", "fix", "a.csv", "--set", "2:total_views=x", "--yes")
    arrive(pipeline, "bad.csv", BAD)
    with pytest.raises(PermanentError, match="still be refused"):
        mdp(tmp_path, "quarantine", "fix", "bad.csv", "--rename", "a=video_id", "--yes")
    assert pipeline.drain() == 0


def test_the_same_fix_for_all_files_with_the_same_error(pipeline: Pipeline, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        arrive(pipeline, f"{name}.csv", f"{HEADER}\n{good_lines(name, 2)}".replace("video_id", "id", 1).encode())
    arrive(pipeline, "other.csv", BAD)
    said = json.loads(
        mdp(tmp_path, "quarantine", "fix", "one.csv", "--rename", "id=video_id", "--like", "--yes", "--json")
    )
    assert {report["key"] for report in said} == {"one.csv", "two.csv", "three.csv"}
    pipeline.drain()
    assert open_keys(pipeline) == ["other.csv"]


def test_of_two_people_who_fix_one_file_at_once_one_is_told(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.csv", GOOD.replace(b"video_id", b"id", 1))
    (file,) = pipeline.files()
    outcomes: list[str] = []

    def person() -> None:
        with connect(pipeline.settings, "loader") as connection:
            fix = prepare(pipeline.store, pipeline.settings, file, Change(rename={"id": "video_id"}))
            try:
                send(connection, pipeline.store, pipeline.settings, fix)
                outcomes.append("sent")
            except PermanentError as error:
                outcomes.append(str(error))

    people = [threading.Thread(target=person) for _ in range(2)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    sent, told = sorted(outcomes, key=len)
    assert sent == "sent"
    assert told.startswith("Another fix of a.csv is on its way")
    assert len(pipeline.raw()) == 1
    pipeline.drain()
    fix = prepare(pipeline.store, pipeline.settings, file, Change(rename={"id": "video_id"}))
    with connect(pipeline.settings, "loader") as connection, pytest.raises(PermanentError, match="closed by version"):
        send(connection, pipeline.store, pipeline.settings, fix)


def test_originals_and_rejects_are_fetched(pipeline: Pipeline, tmp_path: Path) -> None:
    arrive(pipeline, "a.csv", ONE_REJECT)
    mdp(tmp_path, "quarantine", "get", "a.csv", "--out", str(tmp_path / "whole"))
    assert (tmp_path / "whole").read_bytes() == ONE_REJECT
    mdp(tmp_path, "quarantine", "get", "a.csv", "--rejects", "--out", str(tmp_path / "rows"))
    assert (tmp_path / "rows").read_bytes().splitlines()[0] == HEADER.encode()
    page = json.loads(b"".join(pipeline.store.read("quarantine", f"{pipeline.files()[0].rejects_key}.reasons.json")))
    assert (page["counts"], page["entries"][0]["code"]) == ({"not_an_integer": 1}, "not_an_integer")


def test_rejected_rows_beyond_the_first_thousand_are_found_in_the_original(pipeline: Pipeline, tmp_path: Path) -> None:
    bad = good_lines("bad", 1).replace(",10,", ",ten,", 1)
    arrive(pipeline, "many.csv", f"{HEADER}\n{good_lines('ok', 10_000)}{bad * 1005}".encode())
    entries = json.loads(mdp(tmp_path, "quarantine", "show", "many.csv", "--json"))
    assert (len(entries), entries[-1]["line"]) == (1005, 11_006)
    assert pipeline.execute("select sum(rejected) from mart.file_rejects where key = 'many.csv'") == [(1005,)]
    assert pipeline.execute("select count(*), bool_and(open) from mart.rejected_rows") == [(1000, True)]
    ledger.dismiss(pipeline.connection, ["many.csv"], "me", None)
    assert pipeline.execute("select distinct open, code from mart.rejected_rows") == [(False, "not_an_integer")]


def test_rejected_rows_with_nul_and_terminal_codes_can_be_read(pipeline: Pipeline, tmp_path: Path) -> None:
    evil = good_lines("two", 1).replace(",10,", ",\x1b[31m\0,", 1)
    arrive(pipeline, "evil.csv", GOOD + good_lines("one", 19).encode() + evil.encode())
    said = mdp(tmp_path, "quarantine", "show", "evil.csv")
    assert "»\\x1b[31m\\x00«" in said
    assert "\x1b[31m" not in said
    assert pipeline.execute("select value from mart.rejected_rows") == [("\x1b[31m\u2400",)]
    assert [f.key for f in ledger.files_like(pipeline.connection, pipeline.files()[0].file_id)] == ["evil.csv"]
