"""WORLDS: small worlds that are made by a rule, and whose answers are known for that.

A world is a file, and a line in the table. The rule gives a floor that nobody is below, or the
limit of those who have no memory; both stand beside the network as lines.
"""

from collections.abc import Mapping

from rnnviz.config import DataConfig
from rnnviz.data.dataset import MappingType, SequenceDataset
from rnnviz.data.worlds import adding, brackets, copying, echo, entities, namaskar, names, waves
from rnnviz.data.worlds.world import World

_PLAIN = {"attention": "none"}

WORLDS: Mapping[str, World] = {  # their labels: WORLD_NAMES (rnnviz.config)
    "namaskar": World(
        make=namaskar.load,
        mapping=MappingType.MANY_TO_MANY,
        settings=(),
        suggested={**_PLAIN, "cell": "rnn", "hidden_size": 8, "epochs": 150, "learning_rate": 0.02},
    ),
    "adding": World(
        make=adding.load,
        mapping=MappingType.MANY_TO_ONE,
        settings=("sequences", "window"),
        suggested={**_PLAIN, "window": 20, "sequences": 2000, "epochs": 40, "learning_rate": 0.01},
    ),
    "echo": World(
        make=echo.load,
        mapping=MappingType.MANY_TO_MANY,
        settings=("sequences", "window", "delay"),
        suggested={**_PLAIN, "window": 24, "delay": 4, "epochs": 20, "learning_rate": 0.01},
    ),
    "copy": World(
        make=copying.load,
        mapping=MappingType.MANY_TO_MANY,
        settings=("sequences", "delay"),
        suggested={
            **_PLAIN,
            "sequences": 4000,
            "delay": 8,
            "cell": "gru",
            "hidden_size": 48,
            "epochs": 15,
            "learning_rate": 0.01,
        },
    ),
    "brackets": World(
        make=brackets.load,
        mapping=MappingType.MANY_TO_MANY,
        settings=("sequences", "window"),
        suggested={**_PLAIN, "sequences": 2000, "window": 32, "epochs": 20, "learning_rate": 0.01},
    ),
    "depth": World(
        make=brackets.depth,
        mapping=MappingType.MANY_TO_MANY,
        settings=("sequences", "window"),
        suggested={**_PLAIN, "window": 32, "epochs": 25, "learning_rate": 0.01},
    ),
    "sines": World(
        make=waves.forecast,
        mapping=MappingType.MANY_TO_ONE,
        settings=("sequences", "window", "horizon"),
        suggested={**_PLAIN, "sequences": 2000, "window": 24, "epochs": 40, "learning_rate": 0.005},
    ),
    "names": World(
        make=names.load,
        mapping=MappingType.MANY_TO_ONE,
        settings=("sequences", "delay"),
        suggested={**_PLAIN, "delay": 8, "epochs": 20, "learning_rate": 0.01},
    ),
    "entities": World(
        make=entities.load,
        mapping=MappingType.MANY_TO_MANY,
        settings=("sequences",),
        suggested={
            **_PLAIN,
            "sequences": 2000,
            "bidirectional": True,
            "epochs": 8,
            "learning_rate": 0.01,
        },
    ),
    "angle": World(
        make=waves.one_value,
        mapping=MappingType.ONE_TO_ONE,
        settings=("sequences",),
        suggested={**_PLAIN, "cell": "rnn", "epochs": 40, "learning_rate": 0.01},
    ),
    "wave": World(
        make=waves.drawing,
        mapping=MappingType.ONE_TO_MANY,
        settings=("sequences", "window"),
        suggested={**_PLAIN, "window": 24, "epochs": 60, "learning_rate": 0.01},
    ),
}


def load(config: DataConfig) -> SequenceDataset:
    """The world that the settings name.

    Raises:
        DataError: its settings do not go together.
    """
    return WORLDS[config.world].make(config)
