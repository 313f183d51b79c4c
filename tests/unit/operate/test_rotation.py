"""New secrets: all are replaced, what is not a secret of this platform stays, and an interruption loses nothing."""

from pathlib import Path

import pytest

from operate.embedded import rotation
from operate.embedded.object_store import certificates
from operate.embedded.settings import make_secrets, read_secrets, secrets_file
from operate.embedded.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State.open(tmp_path)
    make_secrets(state)
    return state


def test_every_secret_but_those_of_docker_mode_is_replaced(state: State) -> None:
    before = read_secrets(state)
    names = rotation.rotate(state)
    after = read_secrets(state)
    assert {name for name in before if before[name] != after[name]} == set(names)
    assert set(before) - set(names) == {name for name in before if "METABASE" in name}
    assert len(set(after.values())) == len(after)
    assert secrets_file(state).stat().st_mode & 0o777 == 0o600


def test_settings_and_comments_in_the_file_stay(state: State) -> None:
    file = secrets_file(state)
    file.write_text(file.read_text() + "# mine\nMDP_BATCH_FILES=7\n")
    rotation.rotate(state)
    assert file.read_text().endswith("# mine\nMDP_BATCH_FILES=7\n")


def test_certificates_and_tokens_of_the_store_are_made_again(state: State) -> None:
    old = certificates.issue(state.weed).certificate.read_bytes()
    (state.weed / "security.toml").write_text("old tokens")
    rotation.rotate(state)
    assert not (state.weed / "security.toml").exists()
    assert certificates.issue(state.weed).certificate.read_bytes() != old


def test_supersets_old_key_is_kept_until_its_passwords_are_encrypted_again(state: State) -> None:
    state.remember(ports={"superset": 15_000})
    first = read_secrets(state)["MDP_SUPERSET_SECRET_KEY"]
    rotation.rotate(state)
    rotation.rotate(state)
    assert read_secrets(state)[rotation.PREVIOUS_KEY] == first
    rotation.forget_previous_key(state)
    assert rotation.PREVIOUS_KEY not in read_secrets(state)


def test_a_platform_without_superset_keeps_no_old_key(state: State) -> None:
    rotation.rotate(state)
    assert rotation.PREVIOUS_KEY not in read_secrets(state)


def test_the_database_is_marked_before_the_file_changes(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    before = secrets_file(state).read_text()

    def full(*_: object) -> None:
        assert state.platform.passwords_outdated
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rotation, "write_private", full)
    with pytest.raises(rotation.PermanentError, match="old secrets are still valid"):
        rotation.rotate(state)
    assert secrets_file(state).read_text() == before
