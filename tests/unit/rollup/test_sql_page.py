"""The SQL that is made from a declaration, as a page: a change of it shows in the diff."""

from minidata.dataset import read_dataset
from minidata.rollup.page import sql_page
from minidata.settings import PROJECT


def test_the_page_of_youtube_stats_is_up_to_date() -> None:
    page = (PROJECT / "docs" / "youtube_stats.sql").read_text(encoding="utf-8")
    assert page == sql_page(read_dataset(PROJECT / "datasets" / "youtube_stats")), "run ./mdp dev docs"
