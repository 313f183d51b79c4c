"""A few rounds of chaos; `./mdp dev chaos` plays as many as you like."""

from collections.abc import Iterator

import pytest

from minidata.settings import load_settings
from operate.embedded.state import State
from tests.chaos.__main__ import play
from tests.chaos.servers import Servers

QUICK = [
    "killed at a fault point",
    "stopped until its lease is over; others load; it goes on",
    "the answer to a commit is lost",
    "a key is overwritten between two steps",
    "a file that kills its worker",
]


@pytest.fixture(scope="module")
def chaos(servers: State) -> Iterator[Servers]:
    with pytest.MonkeyPatch.context() as patch:
        yield Servers(servers, patch.setenv)
    load_settings.cache_clear()


@pytest.mark.parametrize("kind", QUICK)
def test_chaos_changes_no_cell_and_loses_no_object(chaos: Servers, kind: str) -> None:
    outcome = play(chaos, kind, seed=QUICK.index(kind))
    assert outcome.differences == [], outcome
