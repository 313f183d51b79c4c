"""Colours for words that mean something wherever they are drawn; all else takes Superset's own scheme.

They differ in lightness as well, and each is named in a legend: nothing is said by colour alone.
"""

_GOOD, _FAIR, _BAD, _WORST, _UNDECIDED, _UNDER_WAY = "#2f9e6e", "#7cc6a4", "#e07b39", "#a52a2a", "#a9b4be", "#4b7fc4"

COLOURS = {
    # received by viewers
    "loved": _GOOD,
    "liked": _FAIR,
    "disputed": _BAD,
    "few votes": _UNDECIDED,
    "Likes": _GOOD,
    "Dislikes": _BAD,
    # files in the ledger
    "archived": _GOOD,
    "loaded": _FAIR,
    "pending": _UNDECIDED,
    "claimed": _UNDER_WAY,
    "superseded": "#d9dee3",
    "excluded": "#d9dee3",
    "invalid": _BAD,
    "quarantined": _BAD,
    "failed": _WORST,
    "Rows loaded": _GOOD,
    "Rows rejected": _BAD,
}
