"""Which tests share a process when the whole suite runs on two of them (`./mdp test`)."""

import pytest
from xdist.scheduler import LoadScopeScheduling

_ONE_PLATFORM = ("tests/e2e/", "tests/security/")  # their files share a running platform


class _Together(LoadScopeScheduling):
    """Keeps the tests of a file in one process, and those of a folder that share a platform."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return next((folder for folder in _ONE_PLATFORM if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Together:
    """Give each process whole files, in their order: those that take longest are first (pyproject.toml)."""
    config.option.loadscopereorder = False
    return _Together(config, log)
