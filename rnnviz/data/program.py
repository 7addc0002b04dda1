"""A made-up program, written by a grammar: as long as is wanted, and it means nothing.

Brackets of three kinds nest, blocks are indented by four blanks a level, and a line that opens a
block ends in a colon: whoever predicts the next character has to know how deep it is in both.
"""

from collections.abc import Callable, Iterator

import numpy as np

CHARACTERS = 60_000
SEED = 1957
DEEPEST_BLOCK, DEEPEST_VALUE = 4, 4

_NAMES = ("tide", "lamp", "ship", "rope", "bell", "fog", "depth", "chart", "crew", "signal")
_VERBS = ("count", "hoist", "lower", "find", "mend", "sort", "send", "keep")
_SAID = ("all well", "ship ahead", "too deep", "no wind", "lamp out")
_COMPARED = ("<", ">", "==", "!=", "<=")
_JOINED = ("+", "-", "*")

Draw = np.random.Generator


def write(characters: int = CHARACTERS, seed: int = SEED) -> str:
    """The text; the same seed gives the same, and a longer one begins like a shorter one."""
    rng = np.random.default_rng(seed)
    parts: list[str] = []
    length = 0
    while length < characters:
        parts.append("\n".join(_function(rng)) + "\n\n\n")
        length += len(parts[-1])
    return "".join(parts)[:characters]


def _function(rng: Draw) -> Iterator[str]:
    inputs = rng.choice(_NAMES, rng.integers(0, 4), replace=False)
    yield f"def {_verb(rng)}({', '.join(inputs)}):"
    yield from _block(rng, 1)
    yield _indented(1, f"return {_value(rng, 1)}")


def _block(rng: Draw, level: int) -> Iterator[str]:
    for _ in range(rng.integers(1, 4)):
        if level < DEEPEST_BLOCK and rng.random() < 0.4:
            yield from _compound(rng, level)
        else:
            yield _indented(level, _SIMPLE[rng.integers(len(_SIMPLE))](rng))


def _compound(rng: Draw, level: int) -> Iterator[str]:
    """A line that ends in a colon, and the block that it opens."""
    kind = rng.random()
    if kind < 0.4:
        yield _indented(level, f"for {_name(rng)} in {_value(rng, 2)}:")
    elif kind < 0.5:
        yield _indented(level, f"while {_condition(rng)}:")
    else:
        yield _indented(level, f"if {_condition(rng)}:")
    yield from _block(rng, level + 1)
    if kind > 0.8:
        yield _indented(level, "else:")
        yield from _block(rng, level + 1)


def _assignment(rng: Draw) -> str:
    return f"{_name(rng)} = {_value(rng, 0)}"


def _told(rng: Draw) -> str:
    return f'log("{rng.choice(_SAID)}", {_value(rng, 1)})'


def _called(rng: Draw) -> str:
    return f"{_name(rng)}.{_verb(rng)}({_some(rng, 1)})"


_SIMPLE: tuple[Callable[[Draw], str], ...] = (_assignment, _assignment, _told, _called)


def _condition(rng: Draw) -> str:
    return f"{_value(rng, 2)} {rng.choice(_COMPARED)} {_value(rng, 2)}"


def _value(rng: Draw, depth: int) -> str:
    """A name, a number, or something in brackets with values inside; rarer the deeper it is."""
    kind = rng.random() if depth < DEEPEST_VALUE else 0.0
    if kind < 0.45:
        return _name(rng) if rng.random() < 0.6 else str(rng.integers(0, 100))
    inner = depth + 1
    if kind < 0.6:
        return f"{_verb(rng)}({_some(rng, inner)})"
    if kind < 0.75:
        return f"[{_some(rng, inner)}]"
    if kind < 0.85:
        return f"{_name(rng)}[{_value(rng, inner)}]"
    if kind < 0.95:
        return f"({_value(rng, inner)} {rng.choice(_JOINED)} {_value(rng, inner)})"
    return f'{{"{_name(rng)}": {_value(rng, inner)}, "{_name(rng)}": {_value(rng, inner)}}}'


def _some(rng: Draw, depth: int) -> str:
    return ", ".join(_value(rng, depth) for _ in range(rng.integers(1, 4)))


def _name(rng: Draw) -> str:
    return str(rng.choice(_NAMES))


def _verb(rng: Draw) -> str:
    return str(rng.choice(_VERBS))


def _indented(level: int, line: str) -> str:
    return "    " * level + line
