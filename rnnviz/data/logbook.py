"""A signal station's log, written by a grammar: as long as is wanted.

Telegrams stand in quotes and in capitals, soundings in brackets and in figures, all else in small
letters: whoever predicts the next character has to keep in mind where it is, also over a blank.
"""

from collections.abc import Mapping

import numpy as np

CHARACTERS = 60_000
SEED = 1911

_WORDS: Mapping[str, tuple[str, ...]] = {
    "wind": ("north", "south", "east", "west", "north-west", "south-west"),
    "sky": ("fog until noon", "rain and sleet", "a clear morning", "thunder far out", "calm"),
    "who": ("the keeper", "the captain", "the boy", "the widow", "the boatman", "the clerk"),
    "did": ("trimmed", "painted", "mended", "carried", "counted", "polished", "hid"),
    "thing": ("the lamp", "the stairs", "the chart", "a barrel", "the bell", "a rope", "a crate"),
    "sent": ("sent", "read", "copied", "passed on", "tore up"),
    "where": ("off the point", "by the bar", "in the channel", "under the light"),
    "ship": ("SCHOONER", "STEAMER", "PILOT", "MAIL BOAT", "TRAWLER"),
    "does": ("AGROUND", "IN TOW", "OVERDUE", "SIGHTED", "IN SIGHT OF LAND", "LOST A MAST"),
    "ask": ("SEND ROPE", "KEEP LAMP LIT", "REPORT AT ONCE", "WAIT FOR ORDERS", "RING THE BELL"),
}


def write(characters: int = CHARACTERS, seed: int = SEED) -> str:
    """The text; the same seed gives the same, and a longer one begins like a shorter one."""
    rng = np.random.default_rng(seed)
    entries: list[str] = []
    length = 0
    while length < characters:
        entries.append(_entry(rng, len(entries)))
        length += len(entries[-1])
    return "".join(entries)[:characters]


def _entry(rng: np.random.Generator, day: int) -> str:
    date = f"{day % 28 + 1} may {SEED + day // 28}"
    told = [_told(rng) for _ in range(rng.integers(3, 6))]
    return f"{date}. {_pick(rng, 'sky')}, wind {_pick(rng, 'wind')}. {' '.join(told)}\n\n"


def _told(rng: np.random.Generator) -> str:
    """One sentence: of a telegram, of soundings, or of work."""
    kind, who = rng.random(), _pick(rng, "who")
    if kind < 0.4:
        return f'{who} {_pick(rng, "sent")} "{_telegram(rng)}".'
    if kind < 0.8:
        return f"{who} took soundings {_pick(rng, 'where')} ({_soundings(rng)})."
    return f"{who} {_pick(rng, 'did')} {_pick(rng, 'thing')}."


def _telegram(rng: np.random.Generator) -> str:
    parts = [f"{_pick(rng, 'ship')} {_pick(rng, 'does')}"]
    parts += [_pick(rng, "ask") for _ in range(rng.integers(1, 3))]
    return " STOP ".join(parts)


def _soundings(rng: np.random.Generator) -> str:
    """Depths in fathoms."""
    return " ".join(str(depth) for depth in rng.integers(2, 40, rng.integers(5, 13)))


def _pick(rng: np.random.Generator, kind: str) -> str:
    return str(rng.choice(_WORDS[kind]))
