"""The type checker that every function of rnnviz passes through under pytest (see conftest.py)."""

from typing import Self

from beartype import BeartypeConf, FrozenDict, beartype

check = beartype(
    conf=BeartypeConf(
        # beartype knows Self only on classes that it decorates whole; jaxtyping hands it functions.
        hint_overrides=FrozenDict({Self: object}),
        is_pep484_tower=True,  # an int is a float, as mypy has it
    )
)
