"""The commands, settings, tables and columns that the pages name are those of the code: a rename turns this red."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from minidata.dataset import read_datasets
from minidata.settings import PROJECT, Settings
from minidata.warehouse.__main__ import Administration
from minidata.warehouse.tables import tables_of
from minidata.warehouse.views import read_views
from operate.cli.app import app

PAGES = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]
EACH = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
FORMS = re.compile(r"[|…\[]")  # several commands at once, such as `./mdp dataset check|plan`
# Made of parts in the code: `./mdp env` prints them.
COMPOSED = {f"MDP_{part}_{what}" for part in ("AIRFLOW", "SUPERSET") for what in ("URL", "USER", "PASSWORD")}
SHELL = {"|", "||", "&&", ";", ">", "<", ")", "&"}


ROOT: Any = typer.main.get_command(app)


def texts(page: Path) -> Iterator[str]:
    """Yield each line of the shell blocks without its comment, and each piece of inline code."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from re.sub(r"\\\n\s*", "", block).splitlines()
    yield from (" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", text))


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each `./mdp …` on a page, without `./mdp`."""
    for text in texts(page):
        if "./mdp " not in text or (FORMS.search(text) and not text.startswith("./mdp sql")):
            continue
        words = shlex.shlex(text, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        found = list(words)
        for start in (n for n, word in enumerate(found) if word.endswith("./mdp")):
            rest = found[start + 1 :]
            end = next((n for n, word in enumerate(rest) if SHELL & set(word)), len(rest))
            yield rest[:end]


def problem(words: list[str]) -> str | None:
    """Return what is wrong with a command: a word that is none, or an option that it does not take."""
    command, path = ROOT, "./mdp"
    options: dict[str, bool] = {"--help": False, "-h": False, "--version": False}  # and whether each takes a value
    rest = iter([] if words[0] in ("help", "version") else [None, *words])
    for word in rest:
        if word and word.startswith("-"):
            name, _, value = word.partition("=")
            if name not in options:
                return f"{path} has no option {name}"
            if options[name] and not value:
                next(rest, None)
            continue
        if isinstance(command, TyperGroup) and word:
            inner = command.get_command(typer.Context(command), word)
            if inner is None:
                return None if word.isupper() else f"{path} has no command {word}"
            command, path = inner, f"{path} {word}"
            if command.context_settings.get("ignore_unknown_options"):
                return None
        options |= {
            name: not getattr(p, "is_flag", False) for p in command.params for name in (*p.opts, *p.secondary_opts)
        }
    return None


def test_the_check_finds_what_is_none() -> None:
    assert problem(["up"]) is problem(["--state", "DIR", "files", "--in", "failed"]) is None
    assert problem(["uploda", "x.csv"]) == "./mdp has no command uploda"
    assert problem(["files", "--stat", "failed"]) == "./mdp files has no option --stat"
    assert problem(["quarantine", "mend", "KEY"]) == "./mdp quarantine has no command mend"


@EACH
def test_every_command_on_the_pages_exists_with_its_options(page: Path) -> None:
    assert [found for words in commands(page) if (found := problem(words))] == []


def test_the_pages_are_read() -> None:
    assert sum(1 for page in PAGES for _ in commands(page)) > 150


def test_every_setting_on_the_pages_exists() -> None:
    fields = {f"MDP_{name.upper()}" for name in (*Settings.model_fields, *Administration.model_fields)}
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split()
    code = [name for name in listed if not name.endswith(("test_page_commands.py", ".md", ".png"))]
    used = {
        name for file in code for name in re.findall(r"MDP_[A-Z0-9_]+", (PROJECT / file).read_text("utf-8", "replace"))
    }
    on_pages = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"MDP_[A-Z0-9_]+\b(?![…*_])", page.read_text("utf-8"))
    }
    assert {(page, name) for page, name in on_pages if name not in fields | used | COMPOSED} == set()


def test_every_table_and_column_in_a_query_on_the_pages_exists() -> None:
    datasets = [*read_datasets(PROJECT / "datasets").values(), *read_datasets(PROJECT / "examples").values()]
    tables = [table for dataset in datasets for table in tables_of(dataset)]
    known = {name for table in tables for name in (table.name, *table.columns)}
    known |= {name for page in PAGES for name in re.findall(r"^ +(\w+):", page.read_text("utf-8"), re.MULTILINE)}
    known |= {name for view, content in read_views().items() for name in (view, *content.columns)}
    queries = [words[-1] for page in PAGES for words in commands(page) if words[:1] == ["sql"] and len(words) > 1]
    assert len(queries) > 5
    words = {word for query in queries for word in re.findall(r"\b[a-z]+_[a-z_]+\b", query)}
    assert words - known == set()
