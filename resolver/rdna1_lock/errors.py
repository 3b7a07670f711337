"""Every failure that a user can meet: a code, an exit status, facts, and a way out.

An error is raised where the fact is known and shown only by the command line.
"""

from __future__ import annotations

from typing import ClassVar

from rdna1_lock.codes import Exit
from rdna1_lock.text import without_credentials

__all__ = [
    "CancelledError",
    "Error",
    "Exit",
    "HostError",
    "InputError",
    "IntegrityError",
    "NetworkError",
    "NoSolutionError",
    "OutOfDateError",
    "UsageError",
    "one_line",
]


class Error(Exception):
    """A failure with its facts; ``code`` names it for programs, ``hint`` says what to do."""

    exit_status: ClassVar[Exit]

    def __init__(
        self, code: str, message: str, *, facts: tuple[str, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(without_credentials(message))
        self.code = code
        # A URL in an error is for people: its user name and password never are.
        self.message = without_credentials(message)
        self.facts = tuple(map(without_credentials, facts))
        self.hint = None if hint is None else without_credentials(hint)

    def to_json(self) -> dict[str, object]:
        """Return the error as the ``error`` object of the ``--json`` output."""
        return {
            "code": self.code,
            "message": self.message,
            "facts": list(self.facts),
            "hint": self.hint,
        }


class NoSolutionError(Error):
    """The answer is no: the requirements cannot be met together."""

    exit_status = Exit.NO


class OutOfDateError(Error):
    """The answer is no: the lock would change (``--check``)."""

    exit_status = Exit.NO


class HostError(Error):
    """The answer is no: this machine cannot run what is locked."""

    exit_status = Exit.NO


class UsageError(Error):
    """The command line asks for something that does not exist or does not go together."""

    exit_status = Exit.USAGE


class InputError(Error):
    """A file that the user named cannot be read or does not say what it must."""

    exit_status = Exit.INPUT


class NetworkError(Error):
    """An index or a file on it cannot be fetched, or is not what an index sends."""

    exit_status = Exit.NETWORK


class IntegrityError(Error):
    """Two sources disagree about the bytes of a file."""

    exit_status = Exit.INTEGRITY


class CancelledError(Error):
    """Whoever started the task has stopped it."""

    exit_status = Exit.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted", "the task was stopped")


def one_line(error: BaseException) -> str:
    """Return the text of a foreign exception as one line without a trailing full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
