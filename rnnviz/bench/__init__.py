"""The measurements that the README quotes: `rnnviz bench` prints them as a Markdown table."""

import os
from collections.abc import Callable, Iterator, Mapping

from rnnviz.bench.app import IN_BROWSER, in_browser
from rnnviz.bench.core import HEAT_MAP, TIMED, Row, alone, heat_map
from rnnviz.bench.data import FORMS, reading
from rnnviz.bench.decoding import DECODED
from rnnviz.bench.inside import PARTS
from rnnviz.bench.language import ROWS as OF_LANGUAGE
from rnnviz.bench.searching import MATCHED, matched
from rnnviz.bench.speaking import SPOKEN, spoken
from rnnviz.bench.translating import TRANSLATED, translated
from rnnviz.bench.vectors import LEARNED
from rnnviz.errors import ConfigError

ROWS: Mapping[str, Callable[[str], Row]] = {
    **dict.fromkeys(TIMED, alone),
    HEAT_MAP: heat_map,
    **dict.fromkeys(FORMS, reading),
    **PARTS,
    MATCHED: matched,
    **OF_LANGUAGE,
    SPOKEN: spoken,
    TRANSLATED: translated,
    **LEARNED,
    **DECODED,
    **dict.fromkeys(IN_BROWSER, in_browser),
}


def table(only: str = "") -> Iterator[str]:
    """The lines of the table, each as soon as it is measured; `only` chooses rows by their names.

    Raises:
        ConfigError: no row has that in its name.
    """
    chosen = [name for name in ROWS if only.lower() in name.lower()]
    if not chosen:
        raise ConfigError(f"no measurement is called {only!r}; choose a part of: {', '.join(ROWS)}")
    busy = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the start"
    yield f"| measured | here ({busy}) | target | met |"
    yield "|---|---|---|---|"
    for name in chosen:
        yield str(ROWS[name](name))


__all__ = ["ROWS", "Row", "table"]
