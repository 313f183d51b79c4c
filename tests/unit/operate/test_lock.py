"""`mdp dev lock` leaves nothing behind that was made from the locks before."""

from collections.abc import Sequence

import pytest

from operate.cli import maintain


def test_the_requirements_of_the_images_are_made_after_the_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Sequence[str]] = []
    monkeypatch.setattr(maintain, "_call", called.append)
    maintain.lock()
    made = [words[words.index("-o") + 1] for words in called if "-o" in words]
    assert made == ["locks/embedded.txt", "locks/dev.txt", "locks/docs.txt", "locks/go.txt"]
    assert called[-1][-1] == "deploy/requirements.py"
    assert all({"--generate-hashes", "--no-emit-index-url"} <= set(words) for words in called[:-1])
