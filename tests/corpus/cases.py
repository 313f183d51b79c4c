"""All cases of the corpus, in one list, each with a name and a key of its own."""

from typing import Final

from tests.corpus import compression, encodings, headers, integers, naming, shapes, shares, texts, timestamps
from tests.corpus.case import ARRIVED_AT, Case, Expected

__all__ = ["ARRIVED_AT", "CASES", "Case", "Expected"]

CASES: Final[list[Case]] = [
    *naming.CASES,
    *compression.CASES,
    *encodings.CASES,
    *shapes.CASES,
    *headers.CASES,
    *texts.CASES,
    *integers.CASES,
    *timestamps.CASES,
    *shares.CASES,
]
