"""BLEU of what was written, by sacrebleu, with the parts that make it (Papineni et al. 2002).

Tokens are the network's own, characters or words, and sacrebleu is told to take them as they are
(tokenize="none"). One sentence alone is smoothed ("exp", sacrebleu's usual: the k-th precision
without a match counts as 1 / (2^k total)) and has no orders that are longer than itself; a whole
set is not smoothed. BLEU = BP exp(1/n sum ln p_n); the cs230 cheat sheet leaves out the logarithm.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

SMOOTHING, ORDERS = "exp", 4
_LOADING = threading.Lock()  # two visitors' threads that load a package at once may see half of it

Tokens = Sequence[str]
Counts = Counter[tuple[str, ...]]


class Gram(NamedTuple):
    """An n-gram that was written."""

    tokens: tuple[str, ...]
    written: int  # how often
    reference: int  # how often it stands in the true answer

    @property
    def counted(self) -> int:
        """Clipped: no more often than it stands there."""
        return min(self.written, self.reference)


class Order(NamedTuple):
    """All n-grams of one length."""

    n: int
    matches: int  # clipped
    total: int
    precision: float  # [%], smoothed
    grams: tuple[Gram, ...]


class Bleu(NamedTuple):
    """A score and what made it."""

    score: float  # in [0, 100]
    orders: tuple[Order, ...]  # those that count
    penalty: float  # BP
    written: int  # tokens
    reference: int
    signature: str  # sacrebleu's own


def of_sentence(written: Tokens, reference: Tokens) -> Bleu:
    """Of one output against the true answer."""
    return _bleu([written], [reference], sentence=True)


def of_set(written: Sequence[Tokens], references: Sequence[Tokens]) -> Bleu:
    """Of many: their n-grams are counted together, so it is no mean over sentences."""
    return _bleu(written, references, sentence=False)


def _bleu(written: Sequence[Tokens], references: Sequence[Tokens], *, sentence: bool) -> Bleu:
    names: dict[str, str] = {}  # a token may hold blanks, at which sacrebleu would split it
    for tokens in (*written, *references):
        for token in tokens:
            names.setdefault(token, f"t{len(names)}")
    texts, truths = (
        [" ".join(names[token] for token in tokens) for tokens in side]
        for side in (written, references)
    )
    metric = _metric(sentence=sentence)
    found = metric.corpus_score(texts, [truths])
    orders = []
    for n, (matches, total, precision) in enumerate(
        zip(found.counts, found.totals, found.precisions, strict=True), start=1
    ):
        if total or not sentence:
            grams = _grams(written, references, n) if sentence else ()
            orders.append(Order(n, int(matches), int(total), float(precision), grams))
    return Bleu(
        score=float(found.score),
        orders=tuple(orders),
        penalty=float(found.bp),
        written=int(found.sys_len),
        reference=int(found.ref_len),
        signature=str(metric.get_signature()),
    )


def _metric(*, sentence: bool) -> Any:
    with _LOADING:
        from sacrebleu.metrics.bleu import BLEU  # 0.1 s, which no other page needs

    return BLEU(
        tokenize="none",
        smooth_method=SMOOTHING if sentence else "none",
        max_ngram_order=ORDERS,
        effective_order=sentence,
        force=True,
    )


def _grams(written: Sequence[Tokens], references: Sequence[Tokens], n: int) -> tuple[Gram, ...]:
    """In the order in which they were written first."""
    ours, theirs = _counted(written[0], n), _counted(references[0], n)
    return tuple(Gram(gram, count, theirs[gram]) for gram, count in ours.items())


def _counted(tokens: Tokens, n: int) -> Counts:
    return Counter(tuple(tokens[k : k + n]) for k in range(len(tokens) - n + 1))
