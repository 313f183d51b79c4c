"""The pages: the index links each, each link resolves, and codes and states are those of the code."""

import re
import tomllib
from pathlib import Path

import pytest

from minidata.contract.codes import FILE_CODES, ROW_CODES
from minidata.ledger import FileState
from minidata.settings import PROJECT
from operate.cli.objects import FINAL
from operate.cli.pages import pages
from operate.cli.site import navigation

DOCS = PROJECT / "docs"
PAGES = sorted([*PROJECT.glob("*.md"), *DOCS.rglob("*.md")])


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures, outside code blocks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(page: str, header: str) -> list[list[str]]:
    """Return the cells of the table below a header."""
    body = (DOCS / page).read_text(encoding="utf-8").split(f"{header}\n", 1)[1].splitlines()[1:]
    table = body[: next((n for n, line in enumerate(body) if not line.startswith("|")), len(body))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_index_links_every_page() -> None:
    found = {(DOCS / link.split("#")[0]).resolve() for link in links(DOCS / "index.md")}
    assert {page for page in PAGES if page.name != "index.md"} <= found


def test_generated_pages_are_up_to_date() -> None:
    old = [name for name, text in pages().items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert old == [], "run ./mdp dev docs"


def test_the_menu_of_the_website_has_every_page_of_the_index() -> None:
    menu = tomllib.loads(navigation((DOCS / "index.md").read_text(encoding="utf-8")))["nav"]
    leaves = [
        page for item in menu for entry in item.values() for page in (entry if isinstance(entry, list) else [item])
    ]
    assert {PROJECT / path for page in leaves for path in page.values()} == set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_relative_link_resolves(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links {link}"


def test_the_readme_is_short_and_links_the_index() -> None:
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
    assert "docs/index.md" in links(PROJECT / "README.md")


def test_the_contract_lists_the_reason_codes_of_files_in_their_order() -> None:
    listed = [code.strip("`") for code, _ in rows("contract.md", "| reason code | when |")]
    assert listed == [description.code for description in FILE_CODES]


def test_the_contract_names_every_reason_code_of_rows_and_no_other() -> None:
    codes = {description.code for description in ROW_CODES}
    text = (DOCS / "contract.md").read_text(encoding="utf-8")
    assert codes <= set(re.findall(r"`(\w+)`", text))
    in_table = {
        code for _, cell in rows("contract.md", "| column | reason codes |") for code in re.findall(r"`(\w+)`", cell)
    }
    assert in_table <= codes


def test_the_page_of_states_lists_the_states_and_which_are_final() -> None:
    listed = {
        cells[0].strip("`"): cells[2]
        for cells in rows("states.md", "| state | meaning | final | where the file is | what you can do |")
    }
    assert listed == {str(state): "yes" if state in FINAL else "no" for state in FileState}


def test_every_problem_has_a_runbook() -> None:
    names = {"trigger", "relay"}  # `f"{name}_silent"`
    source = "".join(file.read_text(encoding="utf-8") for file in (PROJECT / "operate").rglob("*.py"))
    codes = set(re.findall(r'Problem\(\s*f?"([a-z_{}]+)"', source))
    codes = {code.replace("{name}", name) for code in codes for name in names}
    assert len(codes) > 15
    assert set(re.findall(r"^## (.+)$", (DOCS / "runbooks.md").read_text(encoding="utf-8"), re.MULTILINE)) == codes
