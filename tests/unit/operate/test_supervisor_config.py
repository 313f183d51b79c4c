"""The supervisor's configuration means what we wrote, whatever the paths hold; read back by its own parser."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from supervisor.options import ServerOptions

from minidata.errors import PermanentError
from operate.embedded.launcher import SERVICES
from operate.embedded.state import State
from operate.embedded.supervisor_config import configuration

CHOSEN = (SERVICES["postgres"], SERVICES["relay"])


def parse(file: Path) -> Any:
    options = ServerOptions()
    options.realize(["-c", str(file)])
    return options


NAMES = ["plain", "a b", "ä ö 日本", "100%", "%(ENV_HOME)s %s", 'it\'s "q"', "$HOME", "a;b#c"]


@pytest.mark.parametrize("name", NAMES)
def test_any_path_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    state = State.open(tmp_path / name)
    file = tmp_path / "supervisor.conf"
    file.write_text(configuration(state, state.folder / "s.sock", CHOSEN), encoding="utf-8")
    options = parse(file)
    assert options.logfile == str(state.logs / "supervisord.log")
    assert options.configroot.supervisord.server_configs[0]["file"] == str(state.folder / "s.sock")
    configs = {c.name: c for group in options.process_group_configs for c in group.process_configs}
    assert set(configs) == {"postgres", "relay"}
    for service, config in configs.items():
        assert config.stdout_logfile == str(state.logs / f"{service}.log")
        assert shlex.split(config.command)[-3:] == [service, "--state", str(state.folder)]
        assert (config.autostart, config.autorestart is not False) == (False, True)
    assert (configs["postgres"].stopwaitsecs, configs["postgres"].stopasgroup) == (20, False)
    assert configs["relay"].stopasgroup is True


@pytest.mark.parametrize("name", ["a ;b", "a #b", "a\nb", "%(here)s"])
def test_a_path_that_it_cannot_express_is_refused(tmp_path: Path, name: str) -> None:
    state = State.open(tmp_path / name)
    with pytest.raises(PermanentError, match="--state"):
        configuration(state, tmp_path / "s.sock", CHOSEN)
