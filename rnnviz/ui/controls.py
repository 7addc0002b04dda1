"""Settings classes as widgets: one rule, one widget, bound to the address of the page.

A link is the experiment: every widget's value stands in the query parameters under its name.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from rnnviz.config import Choice, Knob, Setting, Switch, settings_of

LABELS: Mapping[str, str] = {
    "source": "Data",
    "people": "People",
    "days": "Days of each",
    "blocks": "Steps of a day",
    "scale": "Values",
    "layout": "Layout",
    "missing": "Minutes without a value",
    "saturation": "Counts of 32767",
    "mask": "Read the wear as well",
    "sample": "Built-in text",
    "tokens": "One step is one of the",
    "pieces": "How many pieces",
    "carried": "Carry the state on",
    "window": "Steps in a sequence",
    "horizon": "Horizon",
    "foretold": "Foretell",
    "grammar": "Grammar",
    "world": "World",
    "sequences": "Sequences",
    "delay": "Delay",
    "cell": "Cell",
    "hidden_size": "Units",
    "layers": "Layers",
    "bidirectional": "Both directions",
    "embedding": "Embedding",
    "dropout": "Dropout",
    "recurrent_start": "Recurrent weights begin as",
    "attention": "Attention",
    "covariates": "Join covariates",
    "optimiser": "Optimiser",
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "epochs": "Epochs",
    "clip_norm": "Clip gradients at norm",
    "patience": "Patience",
    "seed": "Seed",
    "splits": "Splits by person",
    "parallel": "Pairs",
    "pairs": "How many pairs",
    "shared_weights": "One network for both",
    "decoder_reads": "The decoder reads",
    "reversed_input": "Read the source backwards",
    "teacher_forcing": "Teacher forcing",
    "corpus": "Text to learn from",
    "text_words": "Words of text",
    "method": "Method",
    "dimensions": "Dimensions",
    "context": "Neighbours on each side",
    "negatives": "Negative samples",
    "subsample": "Subsampling threshold",
    "min_count": "Least count",
    "x_max": "Largest count that matters",
}
STEPS: Mapping[str, float] = {
    "people": 50,
    "sequences": 100,
    "learning_rate": 0.001,
    "dropout": 0.1,
    "clip_norm": 0.5,
    "text_words": 10_000,
    "subsample": 0.001,
}


def widget(setting: Setting, *, default: Any = None, label: str = "", **more: Any) -> Any:
    """The widget of one setting, with `more` arguments of Streamlit's; its value, as ruled.

    Args:
        label: of a page's own setting, which has none in LABELS.
    """
    name, rule = setting.name, setting.rule
    value = setting.default if default is None else default
    common: dict[str, Any] = {"key": name, "help": rule.help, "bind": "query-params", **more}
    label = label or LABELS[name]
    if isinstance(rule, Choice):
        options = list(rule.options)
        return st.selectbox(
            label, options, options.index(value), format_func=rule.options.__getitem__, **common
        )
    if isinstance(rule, Switch):
        return st.toggle(label, value, **common)
    if isinstance(rule, Knob):
        return _number(label, setting, rule, value, common)
    return st.text_input(label, value, max_chars=rule.longest, **common)


def _number(label: str, setting: Setting, rule: Knob, value: Any, common: dict[str, Any]) -> Any:
    kind = setting.type
    if _infinite(st.query_params.get(setting.name, "")):  # Streamlit breaks off at int(inf)
        del st.query_params[setting.name]
        common = {**common, "bind": None}
    return st.number_input(
        f"{label} [{rule.unit}]" if rule.unit else label,
        min_value=kind(rule.low),
        max_value=kind(rule.high),
        value=kind(value),
        step=kind(STEPS.get(setting.name, 1)),
        format="%d" if kind is int else "%g",
        **common,
    )


def _infinite(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def named(cls: type) -> dict[str, Setting]:
    """The settings of a class by name."""
    return {setting.name: setting for setting in settings_of(cls)}


def escaped(text: str) -> str:
    """A name that people brought, with nothing in it that Markdown would take for its own."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])", r"\\\1", text)
