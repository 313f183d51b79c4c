"""Commands on a platform that the `MDP_*` settings name, as in Docker or on a cluster."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from minidata.dataset import Dataset
from minidata.errors import PermanentError
from minidata.settings import PROJECT
from minidata.warehouse import checksum
from minidata.warehouse.checksum import checksums
from minidata.warehouse.connection import connect
from minidata.warehouse.tables import Table, tables_of
from operate.cli import generate, objects, replay
from operate.cli.app import app
from operate.cli.objects import wait_for
from operate.cli.output import Hints
from tests.corpus.case import HEADER, good_lines
from tests.integration.conftest import DATASET, Pipeline

GOOD = f"{HEADER}\n{good_lines('one', 5)}".encode()


def mdp(tmp_path: Path, *arguments: str, text: bytes | None = None) -> str:
    """Run the command in this process, with a text on standard input, and return what it printed."""
    result = CliRunner().invoke(app, ["--state", str(tmp_path), *arguments], input=text, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_status_tells_of_the_files_though_the_services_are_elsewhere(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.put("good.csv", GOOD)
    pipeline.drain()
    with connect(pipeline.settings, "loader") as trigger:
        trigger.execute("set application_name = 'mdp_trigger'")
        found = json.loads(mdp(tmp_path, "status", "--json"))
        said = mdp(tmp_path, "status")
    assert found["healthy"]
    assert found["problems"] == []
    assert found["services"] == []
    assert found["pipeline"]["files"] == {"archived": 1}
    assert found["pipeline"]["upload_to_row_seconds"]["n"] == 1
    assert "1 archived" in said
    assert "service" not in said


def test_checksums_are_of_one_moment_though_files_are_loaded_meanwhile(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("first.csv", GOOD)
    pipeline.drain()
    declared = {table.name: table for table in tables_of(pipeline.dataset)}

    def tables(_: Dataset) -> Iterator[Table]:
        yield declared["channel_stats"]
        pipeline.put("second.csv", f"{HEADER}\n{good_lines('two', 7)}".encode())
        pipeline.drain()
        yield declared["videos"]

    with connect(pipeline.settings, "loader") as connection:
        before = checksums(connection, pipeline.dataset)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(checksum, "tables_of", tables)
            found = checksums(connection, pipeline.dataset)
        assert found == {name: before[name] for name in ("channel_stats", "videos")}
        assert checksums(connection, pipeline.dataset)["videos"] != before["videos"]


def test_waiting_strictly_fails_if_a_file_is_not_in(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    versions = [("good.csv", pipeline.put("good.csv", GOOD)), ("bad.csv", pipeline.put("bad.csv", b"a,b\n"))]
    with pytest.raises(PermanentError, match=r"After 0.01 seconds 2 of 2 files are not done"):
        wait_for(pipeline.settings, versions, json_=False, timeout=0.01, strict=True)
    pipeline.drain()
    wait_for(pipeline.settings, versions, json_=False, timeout=60, strict=False)
    wait_for(pipeline.settings, versions[:1], json_=False, timeout=60, strict=True)
    capsys.readouterr()
    with pytest.raises(PermanentError, match=r"1 of 2 files are not loaded\. `\./mdp quarantine ls` and"):
        wait_for(pipeline.settings, versions, json_=True, timeout=60, strict=True)
    assert {end["state"] for end in json.loads(capsys.readouterr().out)} == {"archived", "quarantined"}


@pytest.mark.parametrize(
    "command",
    [
        ["wait"],
        ["upload", __file__, "--wait"],
        ["generate", "--files", "1", "--wait"],
        ["replay", "failed.csv", "--wait"],
        ["quarantine", "replay", "bad.csv", "--wait"],
    ],
)
def test_every_command_that_waits_takes_a_time_and_strictness(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    pipeline.put("bad.csv", b"a,b\n")
    pipeline.put("failed.csv", GOOD)
    pipeline.drain()
    pipeline.execute("update mdp.files set state = 'failed' where key = 'failed.csv'")
    pipeline.put("new.csv", GOOD)
    waited: list[Any] = []

    def noted(settings: object, present: list[tuple[str, str]], **how: Any) -> None:
        waited.append((len(present), how))

    for module in (objects, generate, replay):
        monkeypatch.setattr(module, "wait_for", noted)
    mdp(tmp_path, *command, "--timeout", "7", "--strict")
    assert waited == [(1, {"json_": False, "timeout": 7.0, "strict": True})]


def test_what_was_missed_and_what_was_waited_for_are_told_together(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.put("bad.csv", b"a,b\n")
    pipeline.drain()
    with pytest.raises(PermanentError) as caught:
        mdp(tmp_path, "quarantine", "replay", "bad.csv", "nosuch.csv", "--wait", "--timeout", "0.01")
    assert "nosuch.csv is not in the ledger" in str(caught.value)
    assert "After 0.01 seconds" in str(caught.value)


def test_waiting_shows_rejected_rows_and_how_to_see_them(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hints, "option", "")
    lines = good_lines("one", 19) + good_lines("two", 1).replace(",10,", ",ten,", 1)
    version = pipeline.put("a.csv", f"{HEADER}\n{lines}".encode())
    pipeline.drain()
    wait_for(pipeline.settings, [("a.csv", version)], json_=False, timeout=60, strict=True)
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "1 archived",
        "  a.csv: archived, 1 row rejected: `./mdp quarantine show a.csv`",
    ]


def test_several_files_are_uploaded_with_their_paths_and_standard_input_under_its_key(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    for number in range(20):
        (folder / "sub" / f"{number:02}.csv").write_bytes(f"{HEADER}\n{good_lines(str(number), 1)}".encode())
    found = json.loads(mdp(tmp_path, "upload", str(folder), "--prefix", "mine/", "--json"))
    assert [item["key"] for item in found] == [f"mine/sub/{number:02}.csv" for number in range(20)]
    assert len({item["version"] for item in found}) == 20
    mdp(tmp_path, "upload", "-", "--key", "piped.csv", text=GOOD)
    pipeline.drain()
    listed = json.loads(mdp(tmp_path, "files", "--json", "--prefix", "mine/sub/1"))
    assert sorted(item["key"] for item in listed) == [f"mine/sub/{number}.csv" for number in range(10, 20)]
    assert (
        json.loads(mdp(tmp_path, "files", "--json", "--status", "archived", "--prefix", "piped"))[0]["rows_loaded"] == 5
    )


def test_a_file_list_and_the_quarantine_show_a_key_with_a_line_end_on_one_line(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    pipeline.put("bad.csv", b"a,b\n")
    pipeline.drain()
    pipeline.execute("update mdp.files set key = E'bad.csv\\nforged.csv  archived'")
    for command in (["files"], ["quarantine", "ls"]):
        lines = mdp(tmp_path, *command).splitlines()
        assert len(lines) == 3
        assert lines[1].startswith("bad.csv\\nforged.csv  archived  ")


@pytest.mark.parametrize("how", ["argument", "dash", "pipe", "file"])
def test_several_statements_after_a_comment_from_anywhere(pipeline: Pipeline, tmp_path: Path, how: str) -> None:
    query = "-- a comment; with a semicolon\nselect 1 as one; set timezone = 'UTC'; select 2 as two, 'x' as x"
    script = tmp_path / "two.sql"
    script.write_text(query)
    arguments, text = {
        "argument": ([query], None),
        "dash": (["-"], query),
        "pipe": ([], query),
        "file": (["-f", str(script)], None),
    }[how]
    given = text.encode() if text else None
    assert mdp(tmp_path, "sql", *arguments, "--csv", text=given) == "one\n1\n\ntwo,x\n2,x\n"
    assert json.loads(mdp(tmp_path, "sql", *arguments, "--json", text=given)) == [[{"one": 1}], [{"two": 2, "x": "x"}]]


def test_json_values_are_json_in_every_format(pipeline: Pipeline, tmp_path: Path) -> None:
    query = """select '{"a": [1, "é"]}'::jsonb as j, '"x"'::json as s, array['p', 'q"'] as a"""
    (row,) = csv.DictReader(io.StringIO(mdp(tmp_path, "sql", query, "--csv")))
    assert {name: json.loads(value) for name, value in row.items()} == {
        "j": {"a": [1, "é"]},
        "s": "x",
        "a": ["p", 'q"'],
    }
    assert json.loads(mdp(tmp_path, "sql", query, "--json")) == [{"j": {"a": [1, "é"]}, "s": "x", "a": ["p", 'q"']}]


def test_the_sample_of_the_readme_has_one_row_to_fix(pipeline: Pipeline, tmp_path: Path) -> None:
    mdp(tmp_path, "upload", str(PROJECT / "datasets" / DATASET / "sample.csv"), "--prefix", "mine")
    pipeline.drain()
    shown = re.findall(r"^```\n(mine/.*?)^```", (PROJECT / "README.md").read_text(), re.DOTALL | re.MULTILINE)[0]
    said = mdp(tmp_path, "quarantine", "show", "mine/sample.csv")
    assert said.startswith(shown)
    assert "All rejected rows, unchanged: quarantine/rejects/" in said
    (file,) = json.loads(mdp(tmp_path, "files", "--json"))
    assert (file["state"], file["rows_loaded"], file["rows_rejected"]) == ("archived", 11, 1)
