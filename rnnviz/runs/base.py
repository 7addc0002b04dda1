"""What every runner offers. A runner decides where and when a run is pumped, never what it does."""

from abc import ABC, abstractmethod

from rnnviz.runs.run import Run


class Runner(ABC):
    """Where runs are pumped. Steer a run through its own methods, then submit it again."""

    @abstractmethod
    def warm(self) -> None:
        """Gets ready ahead of the first run."""

    @abstractmethod
    def submit(self, run: Run) -> None:
        """Sees to it that what is wanted of the run happens; twice does no harm.

        Raises:
            RunError: too many runs wait already.
        """

    @abstractmethod
    def place(self, run: Run) -> int | None:
        """0: being worked on; 1, 2, ...: its place in the queue; None: not here."""

    @abstractmethod
    def trouble(self, run: Run) -> str:
        """What the worker had to say and could not write to the run itself, such as a full disk."""

    @abstractmethod
    def has_room(self, owner: str) -> bool:
        """Whether this owner's next run is taken on at once: nothing else keeps it waiting."""

    @abstractmethod
    def close(self) -> None:
        """Ends all work after checkpoints; the runs can be submitted again later."""
