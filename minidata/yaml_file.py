"""YAML with line numbers: an error names the file and the line, in our own words."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from minidata.errors import PermanentError

Location = Sequence[str | int]
Problem = tuple[Location, str]  # where in the file, and what is wrong there
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class YamlFile:
    """A YAML file that has been read.

    Attributes:
        file: its path.
        root: its syntax tree, with lines.
        data: its content.
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

    def error(self, problems: Iterable[Problem]) -> PermanentError:
        """Return one error that lists all problems, each with its line and its place."""
        lines = [f"{self.at(place)}: {_words(place)}{text}" for place, text in problems]
        return PermanentError("\n".join(lines))

    def check(self, model: type[M]) -> M:
        """Return the file's content as a model.

        Raises:
            PermanentError: if it does not fit; the message names the line of each problem.
        """
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            # Copied out: the loop below must not keep the exception's traceback alive.
            problems = [self._problem(details) for details in error.errors()]
            raise self.error(problems) from error

    def _problem(self, details: Mapping[str, Any]) -> Problem:
        """Return an error of pydantic as a place that the file has, and a sentence of our own."""
        place: list[str | int] = []
        node: yaml.Node = self.root
        for step in details["loc"]:
            found = _child(node, step)
            if found is not None:  # else it is the tag of a union, or a missing key
                node = found[1]
                place.append(step)
        kind, context = details["type"], details.get("ctx", {})
        if kind == "extra_forbidden":
            return place, "there is no such key; check its spelling and its place."
        if kind in ("missing", "union_tag_not_found"):
            return place, f"`{details['loc'][-1] if kind == 'missing' else context['discriminator'][1:-1]}` is missing."
        if kind == "string_type" and isinstance(details["input"], bool):
            return place, "YAML reads `yes`, `no`, `on`, `off`, `true` and `false` as truth values: put it in quotes."
        if kind in _SENTENCES:
            return place, _SENTENCES[kind].format(input=_shown(details["input"]), **context)
        return place, details["msg"].removeprefix("Value error, ").rstrip(".") + "."


# Errors of pydantic as we say them; its own names, with what it tells of each.
_SENTENCES = {
    "bool_type": "{input} is neither true nor false.",
    "dict_type": "{input} is no mapping of keys to values.",
    "enum": "{input} must be {expected}.",
    "greater_than": "{input} must be greater than {gt}.",
    "greater_than_equal": "{input} must be at least {ge}.",
    "int_parsing": "{input} is no whole number.",
    "int_type": "{input} is no whole number.",
    "float_parsing": "{input} is no number.",
    "float_type": "{input} is no number.",
    "less_than_equal": "{input} must be at most {le}.",
    "list_type": "{input} is no list.",
    "literal_error": "{input} must be {expected}.",
    "model_type": "{input} is no mapping of keys to values.",
    "string_pattern_mismatch": "{input} does not match the pattern {pattern}.",
    "string_too_long": "it has more than {max_length} characters.",
    "string_too_short": "it is empty.",
    "string_type": "{input} is no text.",
    "too_long": "it has {actual_length} entries, and may have {max_length}.",
    "too_short": "it has {actual_length} entries, and must have at least {min_length}.",
    "tuple_type": "{input} is no list.",
    "union_tag_invalid": "`{tag}` must be one of {expected_tags}.",
}


def _shown(value: Any) -> str:
    text = f"`{value}`" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def read_yaml(file: Path) -> YamlFile:
    """Read a YAML file.

    Raises:
        PermanentError: if it cannot be read, is not valid YAML, or has a key twice.
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
        raise PermanentError(f"{file}{line}: not valid YAML: {what}.") from error
    if root is None:
        raise PermanentError(f"{file} is empty.")
    source = YamlFile(file, root, data)
    repeated = list(_repeated(root, ()))
    if repeated:
        raise source.error(repeated)
    return source


def guess(name: str, known: Iterable[str]) -> str:
    """Return the end of an error about an unknown name: a similar known one, or all known ones."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(names)}."


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _repeated(node: yaml.Node, place: tuple[str | int, ...]) -> Iterable[Problem]:
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
