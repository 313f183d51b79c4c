"""A platform with Superset and hostile names in its data."""

from collections.abc import Iterator

import httpx
import pytest

from operate.embedded.state import State
from tests.integration.conftest import started
from tests.integration.superset_world import Running, superset
from tests.security.hostile import load_hostile_names


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with superset(tmp_path_factory.mktemp("platform")) as found:
        load_hostile_names(found.settings)
        yield found


@pytest.fixture
def visitor(running: Running) -> Iterator[httpx.Client]:
    """A client without a log-in."""
    with httpx.Client(base_url=running.url, trust_env=False, timeout=120) as client:
        yield client


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A platform of which only PostgreSQL and the object store run."""
    with started(tmp_path_factory.mktemp("servers") / "place") as state:
        yield state
