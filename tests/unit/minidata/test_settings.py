"""Settings are read from `MDP_*`, have no default secret, and their page is true."""

import pytest

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings, load_settings
from operate.cli.maintain import settings_page


@pytest.fixture(autouse=True)
def fresh() -> None:
    load_settings.cache_clear()


def test_the_page_of_settings_is_what_the_settings_say() -> None:
    assert (PROJECT / "docs" / "settings.md").read_text() == settings_page(), "run ./mdp dev docs"


def test_no_secret_has_a_default() -> None:
    secrets = [name for name in Settings.model_fields if name.endswith(("password", "key_id", "access_key"))]
    assert len(secrets) >= 7
    assert {Settings.model_fields[name].default for name in secrets} == {None}


def test_an_unset_secret_names_what_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MDP_LOADER_PASSWORD", raising=False)
    with pytest.raises(PermanentError, match=r"MDP_LOADER_PASSWORD is not set.*mdp up"):
        load_settings().secret("loader_password")


def test_wrong_values_are_all_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDP_BATCH_FILES", "many")
    monkeypatch.setenv("MDP_MAX_REJECTED_SHARE", "2")
    with pytest.raises(PermanentError) as caught:
        load_settings()
    assert "MDP_BATCH_FILES" in str(caught.value)
    assert "MDP_MAX_REJECTED_SHARE" in str(caught.value)


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().batch_files = 1  # type: ignore[misc]
