"""A dataset is one folder: nothing that the platform itself reads or says is about one of them."""

import re

import pytest

from minidata.settings import PROJECT


@pytest.mark.parametrize("folder", ["minidata/warehouse", "minidata/rollup", "warehouse", "dashboards", "bi"])
def test_the_platform_knows_no_dataset(folder: str) -> None:
    files = [file for end in ("py", "sql", "yaml") for file in (PROJECT / folder).rglob(f"*.{end}")]
    assert files
    about = re.compile(r"youtube(?!_stats\.sql)|video|subscriber|channel_", re.IGNORECASE)
    assert [str(file) for file in files if about.search(file.read_text(encoding="utf-8"))] == []
