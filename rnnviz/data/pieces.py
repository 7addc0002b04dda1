"""Byte pairs: the pieces of a text, learned from one and cut from any, by the tokenizers library.

A piece is a run of bytes. The first 256 are the bytes themselves, so that every text can be cut
and nothing is lost; each merge joins the two pieces that stand beside each other most often
(Sennrich, Haddow and Birch 2016; on bytes as in Radford et al. 2019). Pieces are numbered here and
not by the library, so that a merge is two numbers. No files, no torch.
"""

import json
from functools import lru_cache

import numpy as np
from jaxtyping import Int
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

BYTES = 256
FEWEST = 2  # times that two pieces stand beside each other, to be merged

Merges = tuple[tuple[int, int], ...]  # each of two pieces that were there before it


def _letters() -> tuple[str, ...]:
    """The sign by which the library writes each byte: itself where it can be seen and is no blank.

    The others take the signs from code point 256 on, in their order.
    """
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = [byte for byte in range(BYTES) if byte not in seen]
    return tuple(chr(b) if b in seen else chr(BYTES + hidden.index(b)) for b in range(BYTES))


LETTERS = _letters()
_BYTE_OF = {letter: byte for byte, letter in enumerate(LETTERS)}


def learn(text: str, size: int) -> Merges:
    """The merges that make `size` pieces of a text, in their order; fewer where it is too short.

    Merges stay within a word with the blank before it, a number, or a run of other signs.

    Args:
        text: what is learned from; it must hold no half characters (surrogates).
        size: how many pieces there shall be, the bytes included.
    """
    learner = Tokenizer(BPE())
    learner.pre_tokenizer = _words()
    trainer = BpeTrainer(
        vocab_size=size,
        min_frequency=FEWEST,
        initial_alphabet=list(LETTERS),
        show_progress=False,
    )
    learner.train_from_iterator([text], trainer)
    return _numbered(learner)


def _numbered(learner: Tokenizer) -> Merges:
    """The library's merges, by our numbers."""
    # the library tells its merges in no other way
    pairs = json.loads(learner.to_str())["model"]["merges"]
    place = {bytes([byte]): byte for byte in range(BYTES)}
    found = []
    for left, right in pairs:
        first, second = _raw(left), _raw(right)
        found.append((place[first], place[second]))
        place.setdefault(first + second, len(place))
    return tuple(found)


def _raw(written: str) -> bytes:
    return bytes(_BYTE_OF[letter] for letter in written)


@lru_cache(maxsize=8)
def bytes_of(merges: Merges) -> tuple[bytes, ...]:
    """The bytes of every piece; two merges that give the same bytes give one piece."""
    found = [bytes([byte]) for byte in range(BYTES)]
    known = set(found)
    for left, right in merges:
        made = found[left] + found[right]
        if made not in known:
            known.add(made)
            found.append(made)
    return tuple(found)


@lru_cache(maxsize=8)
def names_of(merges: Merges) -> tuple[str, ...]:
    """Each piece as people read it, no two alike: its text, or its bytes where they are none.

    Such as "the" and "[E2 80]".
    """
    names: list[str] = []
    taken: set[str] = set()
    for raw in bytes_of(merges):
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            name = f"[{raw.hex(' ').upper()}]"
        while name in taken:  # a text may well hold what stands for bytes
            name = f"[{name}]"
        taken.add(name)
        names.append(name)
    return tuple(names)


def cut(text: str, merges: Merges) -> Int[np.ndarray, " L"]:
    """A text as the numbers of its pieces; joined() gives it back as it was.

    Args:
        text: any, without half characters (surrogates).
        merges: as learn() gave them.
    """
    found = _cutter(merges).encode(text, add_special_tokens=False)
    return np.array(found.ids, dtype=np.int64)


def joined(pieces: Int[np.ndarray, " L"], merges: Merges) -> str:
    """The text of some pieces; bytes that are no text become a replacement character."""
    raw = bytes_of(merges)
    return b"".join(raw[int(piece)] for piece in pieces).decode("utf-8", errors="replace")


@lru_cache(maxsize=8)
def _cutter(merges: Merges) -> Tokenizer:
    raw = bytes_of(merges)
    written = ["".join(LETTERS[byte] for byte in piece) for piece in raw]
    vocabulary = {name: number for number, name in enumerate(written)}
    model = BPE(vocab=vocabulary, merges=[(written[a], written[b]) for a, b in merges])
    cutter = Tokenizer(model)
    cutter.pre_tokenizer = _words()
    return cutter


def _words() -> ByteLevel:
    return ByteLevel(add_prefix_space=False, use_regex=True)
