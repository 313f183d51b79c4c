"""Planted bugs: each must turn a named test red."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from minidata.settings import PROJECT


@dataclass(frozen=True)
class Mutant:
    """One planted bug.

    Attributes:
        name: what is wrong then.
        file: in the project.
        find: a text that occurs once there.
        put: what takes its place.
        tests: of which one must fail.
        own_servers: whether they start servers of their own.
    """

    name: str
    file: str
    find: str
    put: str
    tests: list[str]
    own_servers: bool = False

    def planted(self, project: Path = PROJECT) -> str:
        """Return the text of the file with the bug in it.

        Raises:
            ValueError: if the place is not there exactly once, because the code has changed.
        """
        text = (project / self.file).read_text(encoding="utf-8")
        if text.count(self.find) != 1:
            raise ValueError(f"{self.name}: {self.file} has {text.count(self.find)} places like {self.find!r}")
        return text.replace(self.find, self.put)


def mutants() -> list[Mutant]:
    """Return all planted bugs."""
    with (Path(__file__).parent / "planted.toml").open("rb") as file:
        return [Mutant(**entry) for entry in tomllib.load(file)["mutant"]]
