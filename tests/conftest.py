"""Which tests share a process when the whole suite runs on two of them (`./mdp test`)."""

from pathlib import Path

import pytest

_ONE_PLATFORM = ("e2e", "security")  # their files share a running platform


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file together, and those of a folder that share a platform."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        group = folder if folder in _ONE_PLATFORM else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
