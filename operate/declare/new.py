"""Makes a new dataset from samples: guesses, writes, and lets the contract check the guess."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from minidata.contract import Verdict
from minidata.errors import PermanentError
from minidata.settings import Settings
from operate.declare.check import read_all, verdict_of
from operate.declare.guess import Guess, guess
from operate.declare.sample import Sample, read_sample
from operate.declare.write import files_of, write_files


@dataclass(frozen=True)
class Made:
    """A new dataset.

    Attributes:
        folder: of its declaration, view and dashboard.
        guess: what the declaration says.
        verdicts: what would become of each sample.
    """

    folder: Path
    guess: Guess
    verdicts: list[Verdict]


def make_dataset(settings: Settings, name: str, prefix: str, samples: list[Path]) -> Made:
    """Write the folder of a dataset whose files are like the samples.

    Raises:
        PermanentError: if a sample cannot be read or the samples differ, the name is taken or no name, or another
            declaration is wrong; nothing is written.
    """
    folder = settings.datasets_folder / name
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise PermanentError(f"{name} is no name for a dataset: use a to z, 0 to 9 and _, a letter first.")
    if folder.exists():
        raise PermanentError(f"{folder} exists already. Choose another name, or change the declaration there.")
    read_all(settings)
    sample = _read(samples)
    guessed = guess(sample)
    origin = f"{', '.join(file.name for file in samples)} ({len(sample.rows):,} rows)"
    cells = zip(*sample.rows, strict=True)
    words = {c.name: len(set(values)) for c, values in zip(guessed.columns, cells, strict=True)}
    try:
        while True:
            write_files(folder, files_of(name, prefix, guessed, sample.format, origin, words))
            dataset = read_all(settings)[name]
            verdicts = [verdict_of(settings, dataset, file) for file in samples]
            if not _narrowed(guessed, {e.column for v in verdicts for e in v.entries if e.column}):
                return Made(folder, guessed, verdicts)
            shutil.rmtree(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _read(files: list[Path]) -> Sample:
    """Read samples that must be written alike as one."""
    first, *others = [read_sample(file) for file in files]
    for file, other in zip(files[1:], others, strict=True):
        if (other.names, other.dialect, other.format) != (first.names, first.dialect, first.format):
            raise PermanentError(f"{file} is written differently from {files[0]}: the files of a dataset are alike.")
        first.rows += other.rows
    return first


def _narrowed(guessed: Guess, wrong: set[str]) -> bool:
    """Declare as text each column whose cells the contract does not accept; return whether there was one."""
    columns = [c for c in guessed.columns if c.name in wrong and c.rule["type"] != "text"]
    for column in columns:
        column.rule = {"type": "text", "optional": True} | {k: v for k, v in column.rule.items() if k == "aliases"}
        column.sure = "some cells do not fit a narrower type"
    guessed.keys = [key for key in guessed.keys if key not in wrong]
    guessed.by = None if guessed.by in wrong else guessed.by
    guessed.time = None if guessed.time in wrong else guessed.time
    return bool(columns)
