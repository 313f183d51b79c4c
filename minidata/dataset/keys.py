"""The size of primary keys: an index of PostgreSQL cannot hold a value of any length."""

from collections.abc import Iterator

from minidata.dataset.columns import Column, DecimalColumn, TextColumn
from minidata.dataset.model import Dataset, Rollup
from minidata.yaml_file import Problem

_TEXT_LENGTH = 255  # characters of a text in a key, unless the declaration says otherwise
_INDEX_ROW = 2704  # bytes of a row in an index of PostgreSQL; a larger one cannot be inserted
_ROW_HEAD, _TEXT_HEAD, _ALIGNED = 8, 4, 8  # bytes
_CHARACTER = 4  # bytes of one in UTF-8, at most
_DECIMAL, _OTHER = 32, 8  # bytes of a key that is no text, at most


def with_key_lengths(dataset: Dataset) -> Dataset:
    """Limit the texts of keys that have no `max_length`."""
    rollups = [*dataset.rollups.values(), *map(dataset.rollup_of, dataset.newest.values())]
    keys = {rollup.source_of(key) for rollup in rollups for key in rollup.keys}
    for summary in dataset.summaries.values():
        rollup = dataset.rollups.get(summary.source)
        sources = [source for source in summary.key_sources.values() if isinstance(source, str)]
        keys |= {rollup.source_of(source) if rollup else source for source in sources}
    columns = dict(dataset.columns)
    for name in keys & columns.keys():
        column = columns[name]
        if isinstance(column, TextColumn) and column.max_length is None:
            columns[name] = column.model_copy(update={"max_length": _TEXT_LENGTH})
    return dataset.model_copy(update={"columns": columns})


def index_problems(dataset: Dataset, rollup: Rollup) -> Iterator[Problem]:
    """Tell of a primary key whose longest value does not fit an index: its row could never be loaded."""
    keys = {key: dataset.columns.get(rollup.source_of(key)) for key in rollup.keys}
    texts = [key for key, column in keys.items() if isinstance(column, TextColumn)]
    if (size := _ROW_HEAD + sum(map(_size, keys.values()))) > _INDEX_ROW:
        others = sum(_size(column) for key, column in keys.items() if key not in texts)
        fits = (_INDEX_ROW - _ROW_HEAD - others) // len(texts) // _ALIGNED * _ALIGNED - _TEXT_HEAD
        what = f"its longest value has {size:,} bytes, and an index of PostgreSQL holds {_INDEX_ROW:,}"
        fix = f"Set `max_length` of {', '.join(texts)} to {fits // _CHARACTER} or less; longer texts become rejects."
        yield ("keys",), f"{what}. {fix}"


def _size(column: Column | None) -> int:
    """Return the bytes of a column's longest value in an index."""
    if not isinstance(column, TextColumn):
        return _DECIMAL if isinstance(column, DecimalColumn) else _OTHER
    words = (len(word.encode()) for word in column.one_of)
    size = _TEXT_HEAD + max(words, default=_CHARACTER * (column.max_length or _TEXT_LENGTH))
    return -(-size // _ALIGNED) * _ALIGNED
