"""Which wheels of a project fit the target: each file is judged once, refusals are kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from packaging.utils import (
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from rdna1_lock.hashes import agree
from rdna1_lock.index.interface import BadWheelError
from rdna1_lock.index.parse import parse_direct_url
from rdna1_lock.index.simple import CONTRADICTS_ITSELF
from rdna1_lock.legacy import read_specifier
from rdna1_lock.model import Wheel, WheelMetadata
from rdna1_lock.moment import read_moment
from rdna1_lock.rules import Rejected

if TYPE_CHECKING:
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from rdna1_lock.model import IndexFile
    from rdna1_lock.resolution.model import Request
    from rdna1_lock.resolution.sources import Sources
    from rdna1_lock.rules import RuleSet

_SOURCE_RANK = {"local": 0, "url": 0, "rocm": 1, "default": 1}
SDIST_SUFFIXES = (".tar.gz", ".zip")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refusal:
    """A file that cannot be taken, and the verdict that says why."""

    filename: str
    verdict: Rejected


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """What there is of a project: the best wheel of each version, newest first.

    What ``--exclude-newer`` excludes is counted and otherwise not there.
    """

    exists: bool
    wheels: tuple[Wheel, ...]
    refused: tuple[Refusal, ...]
    sdists: tuple[str, ...]
    too_new: int = 0


class Finder:
    """Judges the files of projects for one request; asks the sources for each project once."""

    def __init__(self, sources: Sources, request: Request, rules: RuleSet) -> None:
        self.sources = sources
        self._request = request
        self._target = request.target
        self._ranks = request.target.tag_ranks
        self._rules = rules
        self._found: dict[tuple[str, bool], Found] = {}
        self._pythons: dict[str, bool] = {}
        self._metadata: dict[Wheel, WheelMetadata | str] = {}
        self._url_wheels: dict[str, Wheel | Rejected] = {}

    def find(self, name: NormalizedName, *, live: bool = False) -> Found:
        """Return the wheels of a project that fit the target, and why the others do not."""
        key = (name, live)
        if key not in self._found:
            self._found[key] = self._judge_all(name, live=live)
        return self._found[key]

    def seen(self, name: NormalizedName) -> Found:
        """Return what is known of a project: of the live index if that was asked."""
        return self._found.get((name, True)) or self.find(name)

    def _judge_all(self, name: NormalizedName, *, live: bool) -> Found:
        exists, files = self.sources.files(name, live=live)
        preference = self._request.preferences.get(name)
        best: dict[Version, Wheel] = {}
        refused: list[Refusal] = []
        sdists: list[str] = []
        too_new = 0
        hashes: dict[str, set[str]] = {}
        for file, _ in files:
            if file.sha256 is not None:
                hashes.setdefault(file.filename, set()).add(file.sha256)
        for file, source in files:
            if source == "default" and self._too_new(file):
                too_new += 1
                continue
            if file.filename.endswith(SDIST_SUFFIXES):
                sdists.append(file.filename)
                continue
            wheel = self.judge(file, name, source)
            if isinstance(wheel, Rejected):
                refused.append(Refusal(filename=file.filename, verdict=wheel))
                continue
            if len(stated := hashes.get(file.filename, ())) > 1:
                entries = {f"entry {n} on the page": one for n, one in enumerate(sorted(stated), 1)}
                agree(file.filename, entries, hint=CONTRADICTS_ITSELF)
            older = best.get(wheel.version)
            if older is None or _is_better(wheel, older):
                best[wheel.version] = wheel
            if preference is not None and preference.filename == wheel.filename:
                best[wheel.version] = wheel
                preference = None
        return Found(
            exists=exists,
            wheels=tuple(best[version] for version in sorted(best, reverse=True)),
            refused=tuple(refused),
            sdists=tuple(sdists),
            too_new=too_new,
        )

    def metadata(self, wheel: Wheel) -> WheelMetadata | str:
        """Return the metadata of a wheel, or the reason why it has none."""
        if wheel not in self._metadata:
            try:
                self._metadata[wheel] = self.sources.metadata(wheel)
            except BadWheelError as error:
                self._metadata[wheel] = str(error)
        return self._metadata[wheel]

    def wheel_at(self, project: NormalizedName, url: str) -> Wheel | Rejected:
        """Return the wheel behind the URL of a direct reference (PEP 440, PEP 508)."""
        if url not in self._url_wheels:
            file = parse_direct_url(url)
            if isinstance(file, str):
                self._url_wheels[url] = Rejected(kind="url", reason=file)
            else:
                source = "local" if file.local_path else "url"
                self._url_wheels[url] = self.judge(file, project, source)
        return self._url_wheels[url]

    def judge(self, file: IndexFile, name: NormalizedName, source: str) -> Wheel | Rejected:
        """Decide about one file; the cheap questions come first."""
        filename = file.filename
        if not filename.endswith(".whl"):
            return rejected(kind="format", reason="is not a wheel")
        parts = filename[:-4].split("-")
        if len(parts) not in {5, 6}:
            return rejected(kind="name", reason="is not named as a wheel is (PEP 427)")
        if file.requires_python and not self._python_fits(file.requires_python):
            return rejected(kind="python", reason=file.requires_python)
        rank = self._rank(parts[-3], parts[-2], parts[-1])
        if rank is None:
            return rejected(kind="tags", reason="-".join(parts[-3:]))
        try:
            parsed, version, build, _ = parse_wheel_filename(filename)
        except ValueError:  # InvalidWheelFilename is one; so is a number of too many digits
            return rejected(kind="name", reason="is not named as a wheel is (PEP 427)")
        if parsed != name:
            return rejected(kind="name", reason=f"is a wheel of {parsed}")
        if source == "rocm" or (source in {"local", "url"} and self._request.stack.in_family(name)):
            verdict = self._rules.judge_flavour(name, version, self._request.stack)
            if isinstance(verdict, Rejected):
                return verdict
        return Wheel(name=name, version=version, rank=rank, build=build, file=file, source=source)

    def _rank(self, pythons: str, abis: str, platforms: str) -> int | None:
        ranks = self._ranks
        found = [
            ranks[tag]
            for python in pythons.lower().split(".")
            for abi in abis.lower().split(".")
            for platform in platforms.lower().split(".")
            if (tag := f"{python}-{abi}-{platform}") in ranks
        ]
        return min(found) if found else None

    def _python_fits(self, specifier: str) -> bool:
        if specifier not in self._pythons:
            bound = read_specifier(specifier)
            self._pythons[specifier] = bound is None or bound.contains(
                self._target.python_full, prereleases=True
            )
        return self._pythons[specifier]

    def _too_new(self, file: IndexFile) -> bool:
        limit = self._request.exclude_newer
        if limit is None:
            return False
        if file.upload_time is None:
            return True
        uploaded = read_moment(file.upload_time)
        return uploaded is None or uploaded >= limit


@cache
def rejected(*, kind: str, reason: str) -> Rejected:
    """Return one object for all files that are refused alike: most of a long page are."""
    return Rejected(kind=kind, reason=reason)


def _is_better(wheel: Wheel, other: Wheel) -> bool:
    """Say which of two wheels of one version is taken; the order on the page decides nothing."""

    def order(one: Wheel) -> tuple[bool, int, int]:
        return one.file.yanked is not None, _SOURCE_RANK[one.source], one.rank

    if order(wheel) != order(other):
        return order(wheel) < order(other)
    # PEP 427: the build tag "acts as a tie-breaker if two wheel file names are the same in all
    # other respects. Sort as an empty tuple if unspecified, else sort as a two-item tuple with
    # the first item being the initial digits as an int, and the second the remainder as a str."
    if wheel.build != other.build:
        return wheel.build > other.build
    return wheel.filename < other.filename


def sdist_versions(name: str, sdists: tuple[str, ...]) -> list[Version]:
    """Return the versions of source distributions, newest first."""
    versions = set()
    for filename in sdists:
        try:
            parsed, version = parse_sdist_filename(filename)
        except ValueError:
            continue
        if parsed == canonicalize_name(name):
            versions.add(version)
    return sorted(versions, reverse=True)
