"""The colours that a dashboard gives to words (`colours` in its file); other words take Superset's own scheme.

They differ in lightness as well, and each word is in a legend: no chart depends on colour alone.
"""

from bi.model import Tone

PALETTE: dict[Tone, str] = {
    "good": "#2f9e6e",
    "fair": "#7cc6a4",
    "bad": "#e07b39",
    "worst": "#a52a2a",
    "neutral": "#a9b4be",
    "active": "#4b7fc4",
    "muted": "#d9dee3",
}
