"""A file of the platform is complete or not there, and private."""

import stat
from pathlib import Path

import pytest

from operate.embedded.files import write_private


@pytest.mark.parametrize("content", ["ä\n", b"\x00\xff"], ids=["text", "bytes"])
def test_only_the_owner_can_read_it(tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, content)
    assert file.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_process_left_is_replaced_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    (tmp_path / "file.new").symlink_to(tmp_path / "other")
    write_private(tmp_path / "file", "new")
    assert (tmp_path / "other").read_text() == "kept"
    assert (tmp_path / "file").read_text() == "new"
    assert not (tmp_path / "file").is_symlink()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"
