"""All SQL on the ledger's tables is in minidata.ledger, so that one reader can see who changes what."""

import ast
import re
from pathlib import Path

import pytest

from minidata.settings import PROJECT

PACKAGES = ("minidata", "etl", "dags", "plugins", "bi", "operate", "simulator")
MADE = re.compile(r"create (?:table|type|function|view|sequence) mdp\.(\w+)")
NAMES = sorted(
    {name for file in (PROJECT / "warehouse" / "migrations").glob("*.sql") for name in MADE.findall(file.read_text())}
)
SQL = re.compile(rf"\bmdp\.(?:{'|'.join(NAMES)})\b|\bschema mdp\b", re.IGNORECASE)


def statements(source: str) -> list[int]:
    """Return the lines of the strings that name an object of the schema `mdp`; docstrings are no SQL."""
    tree = ast.parse(source)
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node not in prose and SQL.search(str(node.value))
    ]


def python_files() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((PROJECT / package).rglob("*.py"))]


def test_only_the_ledger_has_sql_on_its_tables() -> None:
    home = PROJECT / "minidata" / "ledger"
    found = {file: statements(file.read_text(encoding="utf-8")) for file in python_files()}
    assert any(lines for file, lines in found.items() if file.is_relative_to(home))
    elsewhere = [f"{file}:{n}" for file, lines in found.items() if not file.is_relative_to(home) for n in lines]
    assert elsewhere == [], "move the statement into minidata/ledger"


@pytest.mark.parametrize(
    "planted",
    [
        'connection.execute("select 1 from mdp.files")',
        'connection.execute(\n    "select 1 "\n    "from mdp.batches"\n)',
        'query = f"select {columns} from mdp.inbox where {due}"',
        'owner.execute(b"grant usage on schema mdp to x")',
        'QUERY: LiteralString = "update MDP.Files set state = null"',
    ],
)
def test_a_planted_statement_is_found(planted: str) -> None:
    assert len(statements(planted)) == 1


def test_other_texts_are_no_statements() -> None:
    assert statements('"""Counts mdp.files."""\nname = "mdp.conf"\nlog = "mdp.relay"\n# mdp.files') == []
