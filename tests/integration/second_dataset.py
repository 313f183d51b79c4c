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


def files() -> dict[str, str]:
    """Return the files of the dataset's folder as the page shows them, by path."""
    shown = rf"^`datasets/{NAME}/([\w./]+)`[^\n]*:\n\n```\w+\n(.*?)^```$"
    return dict(re.findall(shown, PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))


def declare_beside_the_first(folder: Path) -> Path:
    """Write the project's declarations and the page's one into a folder; returns the folder."""
    shutil.copytree(PROJECT / "datasets", folder)
    for path, content in files().items():
        file = folder / NAME / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return folder
