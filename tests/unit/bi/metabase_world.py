"""A fake Metabase with a small dashboard, for the tests of plan and apply."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bi.definition import read_dashboards
from bi.metabase import apply, plan
from bi.metabase.objects import read_mark
from bi.model import Dashboard, TileRow
from bi.plan import Plan
from bi.target import Target, Warehouse
from minidata.warehouse.views import read_views
from tests.fakes.metabase import FakeMetabase

from .test_definition import GOOD, written

COLUMNS = {name: list(view.columns) for name, view in read_views().items()}
WAREHOUSE = Warehouse("postgres", 5432, "warehouse", "bi-secret")
EVERYTHING = {
    "database", "collection", "group viewers", "permissions", "dashboard example",
    "card example/first", "card example/second", "card example/third",
}  # fmt: skip


@dataclass
class World:
    """A server and what it should show."""

    fake: FakeMetabase
    dashboards: list[Dashboard]

    @property
    def target(self) -> Target:
        return Target(self.fake.url, "admin@example.org", "admin-secret", WAREHOUSE)

    def apply(self, dashboards: Sequence[Dashboard] | None = None, patience: float = 5, **changed: Any) -> Plan:
        shown = self.dashboards if dashboards is None else dashboards
        return apply(replace(self.target, **changed), shown, patience=patience)

    def plan(self, **changed: Any) -> Plan:
        return plan(replace(self.target, **changed), self.dashboards)

    def card(self, name: str) -> dict[str, Any]:
        return self._marked(self.fake.cards, name)

    def board(self) -> dict[str, Any]:
        return self._marked(self.fake.dashboards, "example")

    @staticmethod
    def _marked(things: dict[int, Any], name: str) -> dict[str, Any]:
        (found,) = (
            thing
            for thing in things.values()
            if not thing["archived"]
            and (mark := read_mark(thing["description"], thing["id"])[1]) is not None
            and mark.name == name
        )
        return dict(found)

    def without(self, tile: str) -> list[Dashboard]:
        """The dashboards without one tile."""
        (dashboard,) = self.dashboards
        kept = [tuple(t for t in row.tiles if t.name != tile) for row in dashboard.rows]
        rows = tuple(TileRow(height=8, tiles=tiles) for tiles in kept if tiles)
        return [dashboard.model_copy(update={"rows": rows})]


def small(folder: Path) -> list[Dashboard]:
    return read_dashboards(written(folder, GOOD))
