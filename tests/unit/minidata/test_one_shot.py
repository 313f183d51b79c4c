"""A one-shot program waits for its server, and says what became of it."""

import pytest

from minidata import one_shot
from minidata.errors import PermanentError, PlatformError, TransientError
from minidata.one_shot import run_one_shot


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(one_shot.time, "sleep", found.append)
    return found


def test_it_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_one_shot(lambda: "Made it.", 0) == 0
    assert capsys.readouterr() == ("Made it.\n", "")


def test_it_waits_for_a_server_that_is_away(capsys: pytest.CaptureFixture[str], naps: list[float]) -> None:
    answers = iter([TransientError("away"), TransientError("away"), None])

    def work() -> str:
        if error := next(answers):
            raise error
        return "Made it."

    assert run_one_shot(work, 60) == 0
    assert capsys.readouterr() == ("Made it.\n", "")
    assert len(naps) == 2


@pytest.mark.parametrize(("error", "seconds"), [(TransientError("still away"), -1), (PermanentError("never"), 60)])
def test_it_gives_up_with_the_error(
    capsys: pytest.CaptureFixture[str], naps: list[float], error: PlatformError, seconds: float
) -> None:
    def work() -> str:
        raise error

    assert run_one_shot(work, seconds) == 1
    assert capsys.readouterr() == ("", f"{error}\n")
    assert naps == []
