"""`mdp dev lock` leaves nothing behind that was made from the locks before."""

from collections.abc import Sequence

import pytest

from operate.cli import maintain


def test_the_requirements_of_the_images_are_made_after_the_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Sequence[str]] = []
    monkeypatch.setattr(maintain, "_call", called.append)
    maintain.lock()
    made = [words[words.index("-o") + 1] for words in called if "-o" in words]
    names = ("embedded", "dev", "docs", "go", "spark", "spark_server", "celery")
    assert made == [f"locks/{name}.txt" for name in names]
    assert called[-1][-1] == "deploy/requirements.py"
    assert all({"--generate-hashes", "--no-emit-index-url"} <= set(words) for words in called[:-1])
