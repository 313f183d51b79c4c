"""Settings are read from `MDP_*`, have no default secret, and their page is true."""

from pathlib import Path

import pytest

from minidata.errors import PermanentError
from minidata.settings import Settings, load_settings
from minidata.warehouse.__main__ import Administration
from operate.cli.pages import settings_page


@pytest.fixture(autouse=True)
def fresh() -> None:
    load_settings.cache_clear()


def test_the_page_holds_what_only_the_set_up_of_a_server_reads_and_the_folder_of_the_platform() -> None:
    page = settings_page()
    assert {f"`MDP_{name.upper()}`" for name in (*Administration.model_fields, "state")} <= set(page.split())


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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that MDP_SECRETS_FOLDER names, with one secret; none of them in the environment."""
    monkeypatch.setenv("MDP_SECRETS_FOLDER", str(tmp_path))
    for name in ("MDP_LOADER_PASSWORD", "MDP_BI_PASSWORD", "MDP_BATCH_FILES"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "MDP_LOADER_PASSWORD").write_text("from the file\n", encoding="utf-8")
    return tmp_path


def test_secrets_are_read_from_the_folder(folder: Path) -> None:
    assert load_settings().secret("loader_password") == "from the file"
    with pytest.raises(PermanentError, match="MDP_BI_PASSWORD is not set"):
        load_settings().secret("bi_password")


def test_the_environment_goes_before_the_files_and_an_empty_variable_does_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "MDP_BI_PASSWORD").write_text("of the file")
    monkeypatch.setenv("MDP_LOADER_PASSWORD", "from the environment")
    monkeypatch.setenv("MDP_BI_PASSWORD", "")
    assert load_settings().secret("loader_password") == "from the environment"
    assert load_settings().secret("bi_password") == "of the file"


def test_an_empty_file_is_no_secret(folder: Path) -> None:
    (folder / "MDP_LOADER_PASSWORD").write_text("\n")
    with pytest.raises(PermanentError, match="MDP_LOADER_PASSWORD is not set"):
        load_settings().secret("loader_password")


def test_a_secret_that_a_field_does_not_take_is_named_and_not_shown(folder: Path) -> None:
    (folder / "MDP_BATCH_FILES").write_text("hunter2")
    with pytest.raises(PermanentError, match="MDP_BATCH_FILES") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_no_folder_is_asked_for_when_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDP_SECRETS_FOLDER", "")
    assert load_settings().raw_bucket == "raw"


@pytest.mark.parametrize("trouble", ["missing folder", "a file", "a folder as secret", "not UTF-8", "forbidden"])
def test_a_folder_that_was_named_and_cannot_be_read_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "missing folder":
        monkeypatch.setenv("MDP_SECRETS_FOLDER", str(folder / "elsewhere"))
    elif trouble == "a file":
        monkeypatch.setenv("MDP_SECRETS_FOLDER", str(folder / "MDP_LOADER_PASSWORD"))
    elif trouble == "a folder as secret":
        (folder / "MDP_BI_PASSWORD").mkdir()
    elif trouble == "not UTF-8":
        (folder / "MDP_BI_PASSWORD").write_bytes(b"\xff\xfe")
    else:  # root may read every file, so the refusal is played

        def refuse(path: Path, *arguments: object, **named: object) -> str:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(PermanentError, match="MDP_SECRETS_FOLDER") as caught:
        load_settings()
    assert "from the file" not in str(caught.value)
