"""The same platform, but with real MinIO; it is built before the first test if it never was."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Platform, started


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(
        Platform(tmp_path_factory.mktemp("état sur MinIO") / "une plate-forme"), "--store", "minio"
    ) as running:
        yield running
