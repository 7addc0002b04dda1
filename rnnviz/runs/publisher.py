"""How often a run's log speaks: at once, but of batches at most 10 times a second."""

from collections.abc import Callable

from rnnviz.events import BatchEnded, Event
from rnnviz.runs.log import EventLog

BATCHES = 0.1  # shortest time between two batches that are written [s]


class Publisher:
    """Writes events to a log.

    Of the batches that end within 0.1 s the last one stands for all; it is written with the next
    event of whatever kind, so that nothing else ever overtakes a batch.
    """

    def __init__(self, log: EventLog, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock
        self._waiting: BatchEnded | None = None
        self._wrote_at = float("-inf")

    def publish(self, event: Event) -> None:
        """Writes the event, or keeps it back for a moment.

        Raises:
            OSError: there is no room.
        """
        if not isinstance(event, BatchEnded):
            self.flush()
            self._log.append(event)
            return
        self._waiting = event
        # the absolute value, because a clock that is set back must not silence a run
        if abs(self._clock() - self._wrote_at) >= BATCHES:
            self.flush()

    def flush(self) -> None:
        """Writes what was kept back.

        Raises:
            OSError: there is no room.
        """
        if self._waiting is not None:
            self._log.append(self._waiting)
            self._waiting = None
            self._wrote_at = self._clock()
