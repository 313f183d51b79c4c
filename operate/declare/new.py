"""Makes a new dataset from samples: guesses, writes, and lets the contract check the guess."""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from minidata.contract import RejectEntry, Verdict
from minidata.errors import PermanentError
from minidata.settings import Settings
from operate.declare.check import read_all, verdict_of
from operate.declare.guess import Column, Guess, guess, guess_table
from operate.declare.sample import Sample, read_sample
from operate.declare.types import NULLS, WIDE
from operate.declare.write import contract_files, files_of, write_files


@dataclass(frozen=True)
class Made:
    """A new dataset.

    Attributes:
        folder: of its declaration and dashboard.
        guess: what the declaration says.
        verdicts: what would become of each sample.
    """

    folder: Path
    guess: Guess
    verdicts: list[Verdict]


def make_dataset(settings: Settings, name: str, prefix: str, files: list[Path], sheet: str | None = None) -> Made:
    """Write the folder of a dataset whose files are like the samples.

    The samples are read whole: a guess from their first rows that does not fit the others is corrected.

    Args:
        settings: with the folder of the datasets.
        name: of the dataset.
        prefix: of its files in raw.
        files: the samples.
        sheet: of workbooks; by default the first one with rows.

    Raises:
        PermanentError: if a sample cannot be read or the samples differ, the name is taken or no name, or another
            declaration is wrong; nothing is written.
    """
    folder = _new_folder(settings, name)
    samples = _read(files, sheet)
    tables = [[list(column) for column in zip(*sample.rows, strict=True)] for sample in samples]
    guessed = guess(samples)
    refused: list[list[str]] = []
    origin = f"{', '.join(file.name for file in files)} ({sum(len(sample.rows) for sample in samples):,} rows)"
    try:
        while True:
            write_files(folder, files_of(name, prefix, guessed, samples, origin))
            dataset = read_all(settings)[name]
            rows = [_Rows(guessed.keys or list(dataset.columns)) for _ in files]
            verdicts = [verdict_of(settings, dataset, file, each.add) for file, each in zip(files, rows, strict=True)]
            corrected = _corrected(guessed, [entry for verdict in verdicts for entry in verdict.entries])
            repeated = sum(each.repeated for each in rows)
            if guessed.keys and repeated:
                refused.append(guessed.keys)
            elif not corrected:
                return _finished(Made(folder, guessed, verdicts), repeated)
            guess_table(guessed, tables, refused)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def make_from_contract(settings: Settings, name: str, contract: Path, files: list[Path]) -> Made:
    """Write the folder of a dataset from a contract of the Open Data Contract Standard, and check samples against it.

    Raises:
        PermanentError: as `make_dataset`, and if the contract cannot be read.
    """
    from operate.declare.contract_in import read_contract  # noqa: PLC0415  its package is for this only

    folder = _new_folder(settings, name)
    declaration, selects, remarks = read_contract(contract, name)
    columns = [Column(c, c, rule, "as the contract says") for c, rule in declaration["columns"].items()]
    guessed = Guess(columns, {}, [], None, None, remarks)
    tables = {**declaration.get("newest", {}), **declaration.get("every", {})}
    guess_table(guessed, [], [])
    guessed.keys = tables.get(name, {}).get("keys", [])
    try:
        write_files(folder, contract_files(name, declaration, guessed, contract.name, shown=name in tables) | selects)
        dataset = read_all(settings)[name]
        return Made(folder, guessed, [verdict_of(settings, dataset, file) for file in files])
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _new_folder(settings: Settings, name: str) -> Path:
    folder = settings.datasets_folder / name
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise PermanentError(f"{name} is no name for a dataset: use a to z, 0 to 9 and _, a letter first.")
    if folder.exists():
        raise PermanentError(f"{folder} exists already. Choose another name, or change the declaration there.")
    if any(settings.datasets_folder.glob("*/dataset.yaml")):  # a fault there would be told as one of the new dataset
        read_all(settings)
    return folder


def _read(files: list[Path], sheet: str | None) -> list[Sample]:
    """Read samples that must be written alike."""
    first, *others = samples = [read_sample(file, sheet) for file in files]
    for file, other in zip(files[1:], others, strict=True):
        if (other.names, other.dialect, other.format) != (first.names, first.dialect, first.format):
            raise PermanentError(f"{file} is written differently from {files[0]}: the files of a dataset are alike.")
    return samples


class _Rows:
    """Counts the good rows of a file that agree in some columns with an earlier one."""

    def __init__(self, columns: list[str]) -> None:
        self._columns = columns
        self._hashes = [np.empty(0, np.uint64)]

    def add(self, frame: pl.DataFrame) -> None:
        self._hashes.append(frame.select(self._columns).hash_rows().to_numpy())

    @property
    def repeated(self) -> int:
        hashes = np.concatenate(self._hashes)
        return len(hashes) - len(np.unique(hashes))


def _finished(made: Made, repeated: int) -> Made:
    if repeated:
        what = f"{repeated:,} rows repeat another one in all columns, and are kept once."
        made.guess.remarks.append(f"{what} If they are different events, they need a column that tells them apart.")
        declaration = made.folder / "dataset.yaml"
        first, rest = declaration.read_text(encoding="utf-8").split("\n", 1)
        declaration.write_text(f"{first}\n# {made.guess.remarks[-1]}\n{rest}", encoding="utf-8")
    return made


def _corrected(guessed: Guess, entries: Iterable[RejectEntry]) -> bool:
    """Widen the rule of each column whose cells the contract does not accept; return whether there was one."""
    broken: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        if entry.column:
            broken[entry.column][entry.code].add((entry.value or "").strip())
    columns = [column for column in guessed.columns if column.name in broken and column.rule["type"] != "text"]
    for column in columns:
        _widen(column, broken[column.name])
    return bool(columns)


def _widen(column: Column, broken: Mapping[str, set[str]]) -> None:
    rule = column.rule
    cells = set().union(*(cells for code, cells in broken.items() if code != "missing_value"))
    words = sorted({*rule.get("null_words", []), *(cells & set(NULLS))})
    column.sure = "a guess from the first rows did not fit all of them"
    if "missing_value" in broken or cells & set(NULLS):
        rule["optional"] = True
    if words:
        rule["null_words"] = words
    if not cells - set(NULLS):
        return
    kept = {key: value for key, value in rule.items() if key in ("optional", "aliases", "null_words")}
    if rule["type"] in ("integer", "decimal") and any(rule.get(key) != value for key, value in WIDE.items()):
        column.rule = WIDE | kept
    else:
        column.rule = {"type": "text", "optional": True} | {k: v for k, v in kept.items() if k == "aliases"}
