"""The same servers, but with real MinIO; it is built before the first test if it never was."""

from collections.abc import Iterator

import pytest

from operate.embedded.state import State, Store
from tests.integration.conftest import started


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    with started(tmp_path_factory.mktemp("servers on minio") / "ein Ort", Store.MINIO) as state:
        yield state
