"""More chaos than CI has time for: every kind, and a sample of all pairs of fault points. Takes some minutes."""

import pytest

from tests.chaos.__main__ import pairs, play
from tests.chaos.kinds import KINDS
from tests.chaos.servers import Servers
from tests.integration import test_chaos

chaos = test_chaos.chaos


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_chaos_changes_a_cell_or_loses_an_object(chaos: Servers, kind: str) -> None:
    outcome = play(chaos, kind, seed=100 + list(KINDS).index(kind))
    assert outcome.differences == [], outcome


def test_two_workers_stopped_at_any_two_points_load_each_file_once(chaos: Servers) -> None:
    for outcome in pairs(chaos, 60, seed=7):
        assert outcome.differences == [], outcome
