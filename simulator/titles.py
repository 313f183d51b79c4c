"""Titles and descriptions of videos, with the commas, quotes, line ends, emoji and scripts of real ones."""

import random

from simulator.names import CATEGORIES, Profile
from simulator.phrases import ENGLISH, LINES, OTHERS, THINGS


def title(profile: Profile, draw: random.Random) -> str:
    """Invent a title that fits the channel."""
    emoji = CATEGORIES[profile.category].emoji
    thing, number = draw.choice(THINGS[profile.category]), draw.randrange(3, 40)
    text = draw.choice(OTHERS.get((profile.language, profile.category), ENGLISH)).format(
        thing=thing, number=number, emoji=emoji
    )
    return text[0].upper() + text[1:]


def description(heading: str, profile: Profile, draw: random.Random) -> str:
    """Write the text under a video: its title, and more often than not some lines."""
    lines = draw.sample(LINES, draw.choice((0, 0, 1, 1, 2)))
    text = "\n\n".join([heading, *lines]).replace("{tag}", profile.category)
    return f"{text}\n{CATEGORIES[profile.category].emoji}" if draw.random() < 0.15 else text
