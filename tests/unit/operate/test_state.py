"""The folder of an embedded platform."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from operate.embedded.state import State


def test_a_new_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    state = State.open(tmp_path / "a b" / "zustand ä")
    assert stat.S_IMODE(state.folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in (state.logs, state.weed, state.objects))


def test_a_folder_that_holds_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    mode = tmp_path.stat().st_mode
    with pytest.raises(PermanentError, match=r"thesis\.tex.*--state"):
        State.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert tmp_path.stat().st_mode == mode


def test_a_folder_with_secrets_alone_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    assert State.open(tmp_path).folder == tmp_path.resolve()


def test_choices_are_there_when_it_is_opened_again(tmp_path: Path) -> None:
    State.open(tmp_path).remember(ports={"postgres": 15001})
    State.open(tmp_path).remember(settings={"MDP_BATCH_FILES": "7"})
    again = State.open(tmp_path)
    assert again.port("postgres") == 15001
    assert again.platform.settings == {"MDP_BATCH_FILES": "7"}
    assert stat.S_IMODE((tmp_path / "platform.json").stat().st_mode) == 0o600


def test_choices_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    state = State.open(tmp_path)
    choices: list[dict[str, object]] = [
        {"ports": {"s3": 15002}},
        {"postgres_home": tmp_path / "home"},
        {"settings": {"MDP_X": "1"}},
        {"airflow_version": "3"},
    ]
    for _ in range(20):
        (tmp_path / "platform.json").unlink(missing_ok=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda choice: state.remember(**choice), choices))
        platform = state.platform
        assert platform.ports == {"s3": 15002}
        assert platform.postgres_home == tmp_path / "home"
        assert platform.settings == {"MDP_X": "1"}
        assert platform.airflow_version == "3"


def test_a_port_that_was_never_chosen_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"postgres.*\./mdp up"):
        State.open(tmp_path).port("postgres")


@pytest.mark.parametrize("content", ["", "{", '{"unknown": 1}', "[]"])
def test_a_damaged_memory_is_an_error_that_names_the_file(tmp_path: Path, content: str) -> None:
    state = State.open(tmp_path)
    (tmp_path / "platform.json").write_text(content)
    with pytest.raises(PermanentError, match=r"platform\.json is damaged"):
        _ = state.platform


def test_a_platform_of_another_version_says_which_version_it_needs(tmp_path: Path) -> None:
    (tmp_path / "platform.json").write_text('{"layout": 99}')
    with pytest.raises(PermanentError, match=r"another version of this program \(layout 99"):
        State.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["platform.json"]


def test_removing_takes_the_platform_and_the_folder_unless_it_holds_other_things(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").touch()
    for name, others in {"alone": [], "shared": ["env-1", "thesis.tex", "uv"]}.items():
        state = State.open(tmp_path / name)
        state.remember(ports={"s3": 15003})
        for other in others:
            (state.folder / other).touch()
        (state.logs / "link").symlink_to(tmp_path / "elsewhere")
        (state.folder / "superset").symlink_to(tmp_path / "elsewhere")
        assert state.remove() == (["thesis.tex"] if others else [])
        assert state.folder.exists() == bool(others)
        assert sorted(path.name for path in state.folder.glob("*")) == others
    assert (tmp_path / "elsewhere" / "precious").exists()


def test_sockets_of_a_deep_folder_go_where_their_path_is_short(tmp_path: Path) -> None:
    state = State.open(tmp_path / ("ü" * 50) / ("x" * 50))
    assert len(bytes(state.run / "supervisor.sock.1234567")) <= 103
    assert not state.run.exists()
    assert not state.exists()
    for _ in range(2):
        state.make_run()
        assert stat.S_IMODE(state.run.stat().st_mode) == 0o700
    assert State.open(state.folder).run == state.run
    state.clear_run()
    state.run.symlink_to(tmp_path)
    try:
        with pytest.raises(PermanentError, match="is a link"):
            state.make_run()
    finally:
        state.run.unlink()


def test_a_second_command_does_not_start_or_stop_at_the_same_time(tmp_path: Path) -> None:
    first, second = State.open(tmp_path), State.open(tmp_path)
    with first.exclusive(), pytest.raises(PermanentError, match="Another `mdp` command"), second.exclusive():
        pass
    with second.exclusive():
        pass
