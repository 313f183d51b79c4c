"""A supervisor that runs always has the last list of services."""

from pathlib import Path

import pytest

from minidata.errors import TransientError
from operate.embedded.launcher import SERVICES
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor


def test_a_list_that_could_not_be_read_is_read_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = Supervisor(State.open(tmp_path / "state"))

    def busy() -> None:
        raise TransientError("busy")

    try:
        supervisor.launch([SERVICES["relay"]])
        both = [SERVICES["relay"], SERVICES["postgres"]]
        with monkeypatch.context() as patched:
            patched.setattr(supervisor, "_reload", busy)
            with pytest.raises(TransientError, match="busy"):
                supervisor.launch(both)
        supervisor.launch(both)
        assert {info.name for info in supervisor.info()} == {"relay", "postgres"}
    finally:
        supervisor.shutdown()
