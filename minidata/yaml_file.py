"""YAML that remembers its lines, so that an error can point at the place that is wrong."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from minidata.errors import PermanentError

Location = Sequence[str | int]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class YamlFile:
    """A YAML file that has been read.

    Attributes:
        file: where it lies.
        root: its syntax tree, with lines.
        data: what it says.
    """

    file: Path
    root: yaml.Node
    data: Any

    def at(self, place: Location) -> str:
        """Return `file:line` of the deepest part of a place that the file has."""
        node, line = self.root, self.root.start_mark.line
        for step in place:
            found = _child(node, step)
            if found is not None:
                key, node = found
                line = key.start_mark.line
        return f"{self.file}:{line + 1}"

    def error(self, problems: Iterable[tuple[Location, str]]) -> PermanentError:
        """Return one error that lists all problems, each with its line and its place."""
        lines = [f"{self.at(place)}: {_words(place)}{text}" for place, text in problems]
        return PermanentError("\n".join(lines))

    def check(self, model: type[M]) -> M:
        """Return the file's content as a model.

        Raises:
            PermanentError: if it is none; the message names the line of each problem.
        """
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            # Copied out: the loop below must not keep the exception's traceback alive.
            problems = [(e["loc"], _sentence(e["msg"])) for e in error.errors()]
            raise self.error(problems) from error


def read_yaml(file: Path) -> YamlFile:
    """Read a YAML file.

    Raises:
        PermanentError: if it cannot be read, is no YAML, or says one thing twice.
    """
    try:
        text = file.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except OSError as error:
        raise PermanentError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PermanentError(f"{file} is not UTF-8: {error.reason} at byte {error.start}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or str(error)
        raise PermanentError(f"{file}{line}: this is no YAML: {what}.") from error
    if root is None:
        raise PermanentError(f"{file} is empty.")
    source = YamlFile(file, root, data)
    repeated = list(_repeated(root, ()))
    if repeated:
        raise source.error(repeated)
    return source


def guess(name: str, known: Iterable[str]) -> str:
    """Return the end of an error about an unknown name: what was meant, or what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(names)}."


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _repeated(node: yaml.Node, place: tuple[str | int, ...]) -> Iterable[tuple[Location, str]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield (*place, key.value), f"it is given twice (again in line {key.start_mark.line + 1})."
            seen.add(key.value)
            yield from _repeated(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _repeated(value, (*place, index))


def _words(place: Location) -> str:
    steps = [f"{step + 1}" if isinstance(step, int) else step for step in place]
    return " → ".join(steps) + ": " if steps else ""


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".") + "."
