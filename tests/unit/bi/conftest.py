from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.metabase import FakeMetabase
from tests.fakes.metabase_server import serve

from .metabase_world import COLUMNS, World, small


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh Metabase that knows the views at once."""
    with serve(FakeMetabase(COLUMNS, sync_polls=0)) as fake:
        yield World(fake, small(tmp_path / "dashboards"))


@pytest.fixture
def applied(world: World) -> World:
    """The same after an apply, its requests forgotten."""
    world.apply()
    world.fake.requests.clear()
    return world
