"""A Stored out, as a file of any kind: what pages and commands call. No torch."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from rnnviz.errors import DataError
from rnnviz.exchange import own
from rnnviz.exchange.keras_files import write_h5, write_keras
from rnnviz.exchange.stored import Stored

Writers = Mapping[str, Callable[[Stored], bytes]]
WRITERS: Writers = {  # by ending; .pt needs torch, so torch_files.write_pt is the caller's to add
    ".safetensors": own.save,
    ".h5": write_h5,
    ".keras": write_keras,
}


def written(stored: Stored, name: str, writers: Writers = WRITERS) -> bytes:
    """The file of a model, of the kind that the name's ending says.

    Raises:
        DataError: no kind ends so, or that kind cannot hold this model.
    """
    ending = PurePath(name).suffix.lower()
    if ending not in writers:
        raise DataError(
            f"{name} does not end as a model's file; endings that are written are "
            f"{', '.join(writers)}"
        )
    try:
        return writers[ending](stored)
    except DataError as wrong:
        raise DataError(f"{name} cannot be written: {wrong}") from None


def write_model(stored: Stored, path: Path, writers: Writers = WRITERS) -> None:
    """Writes a new file; what is there already is never replaced.

    Raises:
        DataError: as in written, or the file cannot be made.
    """
    data = written(stored, path.name, writers)
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise DataError(f"{path} is there already; give another name, or remove it") from None
    except OSError as wrong:
        raise DataError(
            f"{path} cannot be written ({wrong.strerror}); give another place"
        ) from None
