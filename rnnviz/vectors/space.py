"""What can be read off vectors: neighbours by angle, analogies, and a flat picture. NumPy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class Neighbour(NamedTuple):
    """A word and how its vector lies to another one."""

    word: str
    cosine: float

    @property
    def angle(self) -> float:
        """Between the two vectors, from 0 to 180 [degrees]."""
        return angle(self.cosine)


def angle(cosine: float) -> float:
    """The angle of a cosine [degrees]."""
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


@dataclass(frozen=True)
class Space:
    """V words with a vector of D numbers each."""

    words: tuple[str, ...]
    vectors: Float[np.ndarray, "V D"]

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each word stands."""
        return {word: k for k, word in enumerate(self.words)}

    @cached_property
    def units(self) -> Float[np.ndarray, "V D"]:
        """The vectors at length 1; a vector of zeros stays."""
        return unit(self.vectors.astype(np.float64))

    def vector(self, word: str) -> Float[np.ndarray, " D"]:
        """The word's own."""
        return self.vectors[self.places[word]]

    def cosine(self, one: str, other: str) -> float:
        """Of the angle between two words."""
        return float(self.units[self.places[one]] @ self.units[self.places[other]])

    def nearest(
        self, to: Float[np.ndarray, " D"], count: int, without: Sequence[str] = ()
    ) -> tuple[Neighbour, ...]:
        """The words at the smallest angle to a direction, nearest first."""
        cosines = self.units @ unit(to.astype(np.float64))
        cosines[[self.places[word] for word in without]] = -np.inf
        order = np.argsort(-cosines, kind="stable")[
            : max(0, min(count, len(cosines) - len(without)))
        ]
        return tuple(Neighbour(self.words[k], float(cosines[k])) for k in order)

    def neighbours(self, word: str, count: int) -> tuple[Neighbour, ...]:
        """The other words nearest to one."""
        return self.nearest(self.vector(word), count, without=(word,))

    def analogy(self, plus: str, minus: str, also: str) -> Float[np.ndarray, " D"]:
        """plus - minus + also, of vectors at length 1 (3CosAdd: Mikolov et al. 2013c)."""
        at = [self.places[word] for word in (plus, minus, also)]
        return self.units[at[0]] - self.units[at[1]] + self.units[at[2]]


def unit(vectors: Float[np.ndarray, "*N D"]) -> Float[np.ndarray, "*N D"]:
    """At length 1; zeros stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def answered(
    space: Space, questions: Int[np.ndarray, "Q 4"], *, offset: bool = True
) -> Bool[np.ndarray, " Q"]:
    """Which questions a : b :: c : d the nearest word to b - a + c answers.

    Args:
        space: the words.
        questions: places of a, b, c and d; the first three are no answers.
        offset: else the nearest word to c is taken, whatever a and b are (Linzen 2016).
    """
    a, b, c, d = questions.T
    units = space.units
    wanted = units[b] - units[a] + units[c] if offset else units[c]
    cosines = wanted @ units.T
    rows = np.arange(len(questions))
    for asked in (a, b, c):
        cosines[rows, asked] = -np.inf
    return cosines.argmax(axis=1) == d


class Principal(NamedTuple):
    """Vectors in the plane of their first two principal components."""

    places: Float[np.ndarray, "N 2"]
    share: float  # of the variance that the plane holds


def principal(vectors: Float[np.ndarray, "N D"]) -> Principal:
    """The plane in which the vectors lie farthest apart, through their mean."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(vectors), 2))
    places[:, : min(2, len(s))] = (u * s)[:, :2]
    total = float((s**2).sum())
    return Principal(places, float((s[:2] ** 2).sum()) / total if total else 0.0)


def turned(
    places: Float[np.ndarray, "N 2"], before: Float[np.ndarray, "N 2"] | None
) -> Float[np.ndarray, "N 2"]:
    """A map turned and mirrored, not stretched, until it lies as near as it can to another one.

    The orthogonal Procrustes problem (Schoenemann 1966).
    """
    if before is None:
        return places
    u, _, v = np.linalg.svd(places.T @ before)
    return places @ (u @ v)
