"""What a command of the command line printed and how it ended."""

from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """Exit code, standard output and standard error."""

    code: int
    out: str
    err: str


class Shanlu(Protocol):
    """Runs a command in this process; see the fixture of that name."""

    def __call__(self, *arguments: object) -> Answer:
        """Return what the command printed."""
        ...
