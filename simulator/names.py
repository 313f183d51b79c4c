"""Channels by name: invented, each with what it shows, its language and the local time of its audience."""

import random
from typing import NamedTuple


class Category(NamedTuple):
    """What a kind of channel does to its viewers.

    Attributes:
        likes: median likes of a view, of a video with ten million views.
        dislikes: median dislikes of a like.
        weekend: viewing on a day of the weekend, as a multiple of a weekday's.
        emoji: what it decorates itself with.
    """

    likes: float
    dislikes: float
    weekend: float
    emoji: str


CATEGORIES = {
    "music": Category(0.024, 0.032, 1.10, "🎵"),
    "gaming": Category(0.038, 0.038, 1.25, "🎮"),
    "cooking": Category(0.030, 0.028, 1.15, "🍲"),
    "news": Category(0.016, 0.080, 0.85, "🗞️"),
    "science": Category(0.040, 0.024, 0.95, "🔭"),
    "technology": Category(0.030, 0.045, 0.95, "💻"),
    "travel": Category(0.034, 0.026, 1.15, "✈️"),
    "sport": Category(0.020, 0.055, 1.35, "⚽"),
    "comedy": Category(0.044, 0.038, 1.10, "😂"),
    "crafts": Category(0.032, 0.030, 1.05, "🧶"),
    "animals": Category(0.036, 0.020, 1.10, "🐾"),
    "children": Category(0.014, 0.065, 1.15, "🧸"),
}


class Profile(NamedTuple):
    """A channel before it has any numbers; `utc_offset` is its audience's, in hours."""

    name: str
    category: str
    language: str
    utc_offset: float


_KNOWN = tuple(
    Profile(*line)
    for line in (
        ("Midnight Loft Sessions", "music", "en", 0),
        ("Ben, Bolts & Bearings", "crafts", "en", 0),
        ('The "Almost" Engineers', "technology", "en", -5),
        ("Bếp Nhà Nguyễn", "cooking", "vi", 7),
        ("Pixel Hearth", "gaming", "en", 1),
        ("東京ねこ散歩", "animals", "ja", 9),
        ("Canal Cocina de Abuela", "cooking", "es", 1),
        ("Orbit & Ocean", "science", "en", 1),
        ("Кофе и код", "technology", "ru", 3),
        ("Wanderbriefe", "travel", "de", 1),
        ("Tiny Tractor Town 🚜", "children", "en", 0),
        ("مطبخ سلمى", "cooking", "ar", 3),
        ("Quarter Past Nine News", "news", "en", 0),
        ("हिमालय ट्रेक्स", "travel", "hi", 5.5),
        ("서울 로파이", "music", "ko", 9),
        ("Risada na Garoa", "comedy", "pt", -3),
        ("Loose Threads", "crafts", "en", -5),
        ("Kick-off Köln", "sport", "de", 1),
        ("Dr. Fieldnotes", "science", "en", 1),
        ("Les Fous du Fournil", "cooking", "fr", 1),
        ("Speedrun Sunday", "gaming", "en", -5),
        ("Café del Bug ☕", "technology", "es", 1),
        ("Phố Cổ Vlog", "travel", "vi", 7),
        ("Rooftop Strings", "music", "en", 1),
        ("Paws, Claws & Co.", "animals", "en", 0),
        ("夜更かしゲーム部", "gaming", "ja", 9),
        ("O'Malley's Odd Jobs", "comedy", "en", 0),
        ("Волна 24", "news", "ru", 3),
        ("Slow Rails", "travel", "en", 1),
        ("Gol de Barrio", "sport", "es", -3),
        ("Backyard Telescope", "science", "en", -8),
        ("Samba no Sótão", "music", "pt", -3),
        ("Pocket Kitchen", "cooking", "en", 1),
        ("Le Journal de Midi", "news", "fr", 1),
        ("Clay & Kiln", "crafts", "en", 1),
        ("안녕 강아지", "animals", "ko", 9),
        ("Benchmark Alley", "technology", "en", 1),
        ("मज़ेदार मामा", "comedy", "hi", 5.5),
        ("Moonbeam Rhymes", "children", "en", -5),
        ("نغم", "music", "ar", 3),
    )
)
_FIRST = ("Amber", "Bright", "Copper", "Distant", "Early", "Fern", "Golden", "Hidden", "Indigo", "Little", "Northern",
          "Paper", "Quiet", "Rusty", "Second", "Velvet")  # fmt: skip
_SECOND = ("Anchor", "Bicycle", "Circuit", "Garden", "Harbour", "Kitchen", "Lantern", "Meadow", "Notebook", "Orchard",
           "Pine", "River", "Studio", "Train", "Window", "Workshop")  # fmt: skip
_OFFSETS = (-8, -5, -3, 0, 0, 1, 1, 1, 2, 3, 5.5, 7, 9)


def profiles(count: int, draw: random.Random) -> list[Profile]:
    """Return so many channels: the written ones first, then composed ones; no name comes twice."""
    chosen = list(_KNOWN[:count])
    for number in range(len(chosen), count):
        name = f"{draw.choice(_FIRST)} {draw.choice(_SECOND)} {number + 1}"
        chosen.append(Profile(name, draw.choice(list(CATEGORIES)), "en", draw.choice(_OFFSETS)))
    return chosen
