"""What resolution may ask of a place that has wheels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rdna1_lock.model import IndexFile, Wheel, WheelMetadata


class BadWheelError(Exception):
    """One wheel is broken; the others of the project may still serve."""


class NoRangesError(Exception):
    """A server does not send parts of a file; ``status`` is its answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """The files of one project; ``found`` is False where the index does not know the name."""

    name: str
    found: bool
    files: tuple[IndexFile, ...] = ()


class Progress(Protocol):
    """Is told how downloads go; from any thread."""

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Learn the files that will come, with their sizes in bytes as far as they are known."""

    def update(self, filename: str, done: int, total: int | None) -> None:
        """Learn how much of a file has come."""


class Index(Protocol):
    """A place that has wheels. Every method may wait for the network and raise NetworkError."""

    def page(self, name: str) -> Page:
        """Return all files of a project (normalized name)."""

    def metadata(self, wheel: Wheel) -> WheelMetadata:
        """Return what a wheel requires; raises BadWheelError where it cannot be read."""

    def sha256(self, wheel: Wheel) -> str:
        """Return the hash of a wheel, from the index or, as a last resort, from its bytes."""

    def prefetch_pages(self, names: Iterable[str]) -> None:
        """Start to fetch pages that will be asked for; never raises."""

    def prefetch_metadata(self, wheels: Iterable[Wheel]) -> None:
        """Start to fetch metadata that will be asked for; never raises."""

    def prefetch_hashes(self, wheels: Iterable[Wheel]) -> None:
        """Start to read the wheels whose hash nobody states; never raises."""

    def close(self) -> None:
        """Forget what has not started."""
