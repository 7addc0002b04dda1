"""What a network writes, epoch by epoch: the newest on top, each after what it goes on from."""

import orjson

from rnnviz.events import Sampled
from rnnviz.ui.components import mount


def written(samples: tuple[Sampled, ...], *, key: str) -> None:
    """Show samples; their texts are never read as markup.

    Args:
        samples: by epoch, ascending.
        key: names the view within its page.
    """
    mount("samples", css=True, key=key, data=message(samples))


def message(samples: tuple[Sampled, ...]) -> bytes:
    """What travels to the browser, as JSON."""
    content = [
        {"title": title_of(one), "prefix": one.prefix, "text": one.text} for one in samples[::-1]
    ]
    return orjson.dumps(content)


def title_of(one: Sampled) -> str:
    """Such as 'after epoch 3'."""
    return f"after epoch {one.epoch}" if one.epoch else "before training"
