"""Which network can learn from which data, known before anything is built. No torch."""

from rnnviz.config import ModelConfig
from rnnviz.data.dataset import SequenceDataset, Task
from rnnviz.errors import ConfigError


def check_allowed(model: ModelConfig, dataset: SequenceDataset) -> None:
    """Whether this network's settings make sense for these data.

    Raises:
        ConfigError: they do not.
    """
    if dataset.task is Task.NEXT_TOKEN and model.bidirectional:
        raise ConfigError(
            "both directions are on (bidirectional), but a backward network has read the next "
            "token already; switch one off to predict the next token"
        )
    if dataset.carried and model.attention != "none":
        raise ConfigError(
            f"the state is carried on from window to window, but {model.attention} attention sees "
            "one window only; set attention to none, or switch off carrying the state on"
        )
    if model.embedding and not dataset.vocabulary:
        raise ConfigError(
            f"embedding is {model.embedding}, but these data are numbers and no tokens; set it to 0"
        )
