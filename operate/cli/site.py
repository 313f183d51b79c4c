"""The website of the documentation: `./mdp dev site`."""

import json
import posixpath
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

DOCS_LOCK = "locks/docs.txt"


def navigation(index: str) -> str:
    """Return the line `nav = …` of zensical.toml: each section of docs/index.md with the pages that it links."""
    sections = "".join(f"  {{{json.dumps(title)} = [{', '.join(pages)}]}},\n" for title, pages in _sections(index))
    return f"nav = [\n  {{Home = 'README.md'}},\n  {{'All pages' = 'docs/index.md'}},\n{sections}]\n"


def _sections(index: str) -> Iterator[tuple[str, list[str]]]:
    for section in index.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        links = re.findall(r"\[([^\]]+)\]\(([^)]+\.md)\)", body)
        pages = [(name, posixpath.normpath(f"docs/{path}")) for name, path in links]
        yield title, [f"{{{json.dumps(name)} = '{path}'}}" for name, path in pages if path != "README.md"]


def stage(project: Path, folder: Path) -> None:
    """Write into a folder what the website is built from: its configuration, and the pages under `pages/`.

    The pages lie as in the project, so that their links between README.md and docs/ hold.
    """
    shutil.copytree(project / "docs", folder / "pages" / "docs", ignore=shutil.ignore_patterns("*.py", "*.toml"))
    for page in project.glob("*.md"):
        shutil.copy(page, folder / "pages")
    configuration = (project / "docs" / "site" / "zensical.toml").read_text(encoding="utf-8")
    nav = navigation((project / "docs" / "index.md").read_text(encoding="utf-8"))
    (folder / "zensical.toml").write_text(configuration.replace("[project]\n", f"[project]\n{nav}", 1), "utf-8")


def build_commands(uv: str, folder: Path) -> Iterator[list[str]]:
    """Yield the commands that build the website in `folder`/site, with a generator that is installed for it."""
    environment = str(folder / "env")
    yield [uv, "venv", "-q", "--python", sys.executable, environment]
    yield [uv, "pip", "sync", "-q", "--require-hashes", "--python", environment, DOCS_LOCK]
    yield [f"{environment}/bin/zensical", "build", "--strict", "-f", str(folder / "zensical.toml")]
