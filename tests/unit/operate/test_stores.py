"""Which object store a platform has: chosen once, kept for good."""

from pathlib import Path

import pytest

from minidata.errors import PermanentError
from operate.embedded.object_store import service
from operate.embedded.object_store.service import PORTS, choose_store
from operate.embedded.state import State, Store


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """A new platform, on a machine where MinIO is built already."""
    monkeypatch.setattr(service, "build", lambda report: tmp_path / "minio")
    return State.open(tmp_path / "state")


def quiet(doing: str) -> None:
    raise AssertionError(doing)


def test_a_new_platform_has_seaweedfs(state: State) -> None:
    assert choose_store(state, None, quiet) is Store.SEAWEEDFS
    assert not state.exists(), "nothing needs to be remembered"


def test_the_choice_is_kept(state: State) -> None:
    assert choose_store(state, Store.MINIO, quiet) is Store.MINIO
    state.remember(ports={"s3": 15000})
    assert choose_store(State.open(state.folder), None, quiet) is Store.MINIO
    assert choose_store(state, Store.MINIO, quiet) is Store.MINIO


@pytest.mark.parametrize("has", Store)
def test_another_store_is_refused_once_there_is_data(state: State, has: Store) -> None:
    (other,) = set(Store) - {has}
    choose_store(state, has, quiet)
    state.remember(ports={"s3": 15000})
    with pytest.raises(PermanentError, match=rf"{has.label}.*--state FOLDER up --store {other}"):
        choose_store(state, other, quiet)
    assert state.platform.store is has


def test_before_the_first_start_one_may_think_again(state: State) -> None:
    choose_store(state, Store.MINIO, quiet)
    assert choose_store(state, Store.SEAWEEDFS, quiet) is Store.SEAWEEDFS
    assert state.platform.store is Store.SEAWEEDFS


def test_a_store_that_cannot_be_built_is_not_chosen(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(report: object) -> Path:
        raise PermanentError("no network")

    monkeypatch.setattr(service, "build", fail)
    with pytest.raises(PermanentError, match="no network"):
        choose_store(state, Store.MINIO, quiet)
    assert state.platform.store is Store.SEAWEEDFS


def test_a_platform_of_before_the_choice_has_seaweedfs(state: State) -> None:
    (state.folder / "platform.json").write_text('{"layout": 1, "ports": {"s3": 15000}}')
    assert choose_store(state, None, quiet) is Store.SEAWEEDFS
    with pytest.raises(PermanentError, match="SeaweedFS"):
        choose_store(state, Store.MINIO, quiet)


def test_every_store_has_its_ports() -> None:
    assert set(PORTS) == set(Store)
    assert all("s3" in ports for ports in PORTS.values())


def test_destroying_a_platform_keeps_what_was_built(tmp_path: Path) -> None:
    state = State.open(tmp_path / ".mdp")
    state.remember(store=Store.MINIO, ports={"s3": 15000})
    (state.folder / "tools").mkdir()
    (state.folder / "tools" / "minio-v1").touch()
    (state.objects / "raw").mkdir()
    assert state.remove() == [], "it is no stranger's"
    assert sorted(path.name for path in state.folder.rglob("*")) == ["minio-v1", "tools"]
