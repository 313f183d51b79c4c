"""The second dataset: the example of docs/datasets.md, taken from the page itself."""

import re
import shutil
from pathlib import Path

from minidata.settings import PROJECT

PAGE = PROJECT / "docs" / "datasets.md"
NAME = "air_quality"


def block(language: str) -> str:
    """Return the page's one block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(found)


def declare_beside_the_first(folder: Path) -> Path:
    """Write the project's declarations and the page's one into a folder; returns the folder."""
    shutil.copytree(PROJECT / "datasets", folder)
    (folder / NAME).mkdir()
    (folder / NAME / "dataset.yaml").write_text(block("yaml"), encoding="utf-8")
    (folder / NAME / "air_stations.sql").write_text(block("sql"), encoding="utf-8")
    return folder
