"""Long random histories: whatever people do, the tables of every kind are those of the files that are in.

Files are loaded, refused, fixed, dismissed, fail and are replayed, are excluded and included; tables are rebuilt, and
rebuilds are killed. After every step all tables are compared with plain Python.
"""

import csv
import io
import time
from collections.abc import Callable
from random import Random

import pytest

from etl.extract import extract
from etl.move_files import put_back
from minidata import ledger, rebuild
from minidata.dataset import read_dataset
from minidata.errors import TransientError
from minidata.ledger.contents import contents
from minidata.quarantine.change import Change
from minidata.quarantine.fix import prepare, send
from minidata.warehouse.connection import connect
from tests.integration.conftest import Pipeline
from tests.integration.test_newest_every import COLUMNS, File, Row, T, expected, shop, shown, timedelta

__all__ = ["shop"]  # the fixture
STEPS = 200
WRONG = "order"  # a header that has this in place of order_id is refused
REBUILD = "from operate.cli.app import app; app(['--state', '/nonexistent', 'rebuild', '--dataset', 'shop'])"


class History:
    """A platform, and the rows of each version that was ever uploaded."""

    def __init__(self, shop: Pipeline, random: Random) -> None:
        self.shop, self.random = shop, random
        self.dataset = read_dataset(shop.settings.datasets_folder / "shop")
        self.rows: dict[tuple[str, str], list[Row]] = {}
        self.done: dict[str, int] = {}

    def files(self, *states: str) -> list[ledger.File]:
        return [file for file in self.shop.files() if file.state in states]

    def drain(self) -> None:
        self.shop.look()
        while (batch := extract("shop", "history")) is not None:
            self.shop.run(batch)

    def put(self, wrong: bool) -> tuple[str, str]:
        chance = self.random
        rows = [
            Row(chance.choice("abc"), chance.choice(["paid", "cancelled"]), chance.choice(["Rome", "Oslo"]),
                chance.randrange(4), chance.choice([None, "x", '"y"\n,']), chance.choice([None, 0, 1]),
                T + timedelta(minutes=50 * chance.randrange(6)))
            for _ in range(chance.randrange(1, 6))
        ]  # fmt: skip
        if self.rows and chance.random() < 0.2:  # the same content again, perhaps under another key
            rows = chance.choice(list(self.rows.values()))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([WRONG, *COLUMNS[1:]] if wrong else COLUMNS)
        writer.writerows(rows)
        key = f"shop/{chance.randrange(30)}.csv"
        version = self.shop.put(key, text.getvalue().encode())
        self.rows[key, version] = rows
        return key, version

    def load(self) -> None:
        for _ in range(self.random.randrange(1, 4)):
            self.put(wrong=self.random.random() < 0.3)
        self.drain()

    def fail(self) -> None:
        key, version = self.put(wrong=False)
        self.shop.look()
        self.shop.execute("update mdp.files set state = 'failed' where (key, version) = (%s, %s)", key, version)

    def retry(self) -> None:
        ledger.retry_failed(self.shop.connection)
        self.drain()

    def fix(self) -> None:
        if waiting := [file for file in self.files("quarantined") if file.open]:
            file = self.random.choice(waiting)
            made = prepare(self.shop.store, self.shop.settings, file, Change(rename={WRONG: "order_id"}))
            assert made.refusal is None
            version = send(self.shop.connection, self.shop.store, self.shop.settings, made)
            self.rows[file.key, version] = self.rows[file.key, file.version]
            self.drain()
            fixed = next(f for f in self.shop.files() if f.file_id == file.file_id)
            assert not fixed.open

    def replay(self) -> None:
        if waiting := [file for file in self.files("quarantined") if file.open]:
            file = self.random.choice(waiting)
            version = put_back(self.shop.store, self.shop.settings, file)
            self.rows[file.key, version] = self.rows[file.key, file.version]
            self.drain()

    def dismiss(self) -> None:
        if waiting := ledger.files_to_review(self.shop.connection):
            ledger.dismiss(self.shop.connection, [self.random.choice(waiting).key], "me", None)

    def exclude(self) -> None:
        if ids := self.some("archived"):
            files = contents(self.shop.connection, ids)
            rebuild.exclude(self.shop.connection, self.dataset, files, self.archive(), who="me", why=None)

    def include(self) -> None:
        if ids := self.some("excluded"):
            rebuild.include(self.shop.connection, self.dataset, contents(self.shop.connection, ids), self.archive())

    def some(self, state: str) -> list[int]:
        there = [file.file_id for file in self.files(state)]
        return self.random.sample(there, min(len(there), self.random.choice([1, 1, 3])))

    def archive(self) -> rebuild.Archive:
        return rebuild.Archive(self.shop.store, self.shop.settings, self.shop.connection)

    def rebuild(self) -> None:
        with connect(self.shop.settings, "owner") as owner:
            owner.autocommit = True
            again = rebuild.Shadow(self.dataset, owner, self.archive(), 500)
            with rebuild.exclusive(owner, "shop"):
                again.create()
                assert rebuild.compare(again)[1] == []
                rebuild.swap(again, self.shop.settings)

    def killed_rebuild(self) -> None:
        program = self.shop.program(REBUILD)
        time.sleep(self.random.uniform(0.5, 5))
        program.kill()
        program.wait()

    def check(self) -> None:
        accepted = [File(file.arrived_at, self.rows[file.key, file.version]) for file in self.files("archived")]
        assert shown(self.shop.connection, self.dataset) == expected(accepted)


@pytest.mark.parametrize("seed", range(2))
def test_the_tables_are_those_of_the_files_that_are_in(shop: Pipeline, seed: int) -> None:
    random = Random(seed)
    history = History(shop, random)
    often = ["load", "exclude", "include"] * 3
    steps = [*often, "fix", "fix", "replay", "dismiss", "fail", "retry", "rebuild", "killed_rebuild"]
    for number in range(STEPS):
        name = random.choice(steps)
        history.done[name] = history.done.get(name, 0) + 1
        patiently(getattr(history, name))
        try:
            history.check()
        except AssertionError as error:
            error.add_note(f"after step {number}, {name}")
            raise
    assert set(history.done) == set(steps)


def patiently(step: Callable[[], None]) -> None:
    """Take a step; the server notices only after a moment that the program of an earlier one was killed."""
    until = time.monotonic() + 30
    while True:
        try:
            step()
        except TransientError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
