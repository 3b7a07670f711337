"""What was measured about packages beside torch: ``constraints/applications/``, read on demand.

A file is read when a lock that holds torch meets its package, and not before.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from rdna1_lock.errors import UsageError
from rdna1_lock.rules.entry import Entry, read_entry, read_tables
from rdna1_lock.rules.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TORCH = "<torch>"
FACT_ID = re.compile(r"A(-[a-z0-9]+)+")
# No torch meets it: what needs a CUDA build cannot run beside a ROCm build, whatever its version.
NO_BUILD = SpecifierSet("<0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Releases that were run with one torch: which work, which work but for a part, which fail.

    ``by`` says who ran them: ``make applications``, or a study before there was such a thing.
    """

    torch: str
    python: str
    date: str
    by: str
    ran: str
    works: tuple[Version, ...] = ()
    partly: tuple[Version, ...] = ()
    fails: tuple[Version, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One bound that follows from runs.

    ``on`` is ``<torch>`` or a project that the releases need and do not declare. ``part`` names
    what alone fails: such a fact yields where it would leave no solution. ``despite_extra`` says
    that the releases run although an extra of theirs asks for a newer torch.
    """

    id: str
    package: str
    releases: SpecifierSet
    why: str
    evidence: tuple[Evidence, ...]
    date: str
    sources: tuple[str, ...]
    on: str = TORCH
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    part: str | None = None
    remedy: str | None = None
    cuda: bool = False
    despite_extra: bool = False
    measured: tuple[str, ...] = ()

    def concerns(self, version: Version) -> bool:
        """Say whether it is about a release."""
        return self.releases.contains(version, prereleases=True)

    def refuses(self, torch: Version) -> bool:
        """Say whether its releases do not run with a torch."""
        return self.on == TORCH and not self.specifier.contains(torch, prereleases=True)

    def evidence_with(self, torch: Version) -> Evidence:
        """Return how it is known of one torch: only what was run is reproduced."""
        return Evidence.REPRODUCED if torch.public in self.measured else Evidence.INFERRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """All that is known of one package.

    ``probe`` is the script that runs it, beside the requirements in ``probe_with``; ``built`` are
    releases whose wheel is built for that, since the index has none. ``uv`` is what uv locks.
    """

    package: str
    declared: str
    probe: str | None
    probe_with: tuple[str, ...]
    built: tuple[str, ...]
    uv: str | None
    runs: tuple[Run, ...]
    facts: tuple[Fact, ...]

    def newest(self, torch: Version) -> Version | None:
        """Return the newest release that was run with a torch, whatever came of it."""
        seen = [
            version
            for run in self.runs
            if run.torch == torch.public
            for version in (*run.works, *run.partly, *run.fails)
        ]
        return max(seen, default=None)


class Applications:
    """The records by package; a folder that does not exist has none."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._read: dict[str, Application | None] = {}

    def of(self, package: str) -> Application | None:
        """Return the record of a package."""
        if package not in self._read:
            # The names come from an index, the files from this program: a name is no path.
            path = None if self._folder is None else self._folder / f"{package}.toml"
            known = path is not None and canonicalize_name(package) == package and path.is_file()
            self._read[package] = read_application(path) if path is not None and known else None
        return self._read[package]

    def facts(self, package: str, version: Version) -> Iterator[Fact]:
        """Yield the facts about one release."""
        record = self.of(package)
        for fact in () if record is None else record.facts:
            if fact.concerns(version):
                yield fact

    def all(self) -> tuple[Application, ...]:
        """Read every record, by name."""
        names = () if self._folder is None else sorted(p.stem for p in self._folder.glob("*.toml"))
        return tuple(record for name in names if (record := self.of(name)))

    def by_id(self, fact: str) -> Fact:
        """Return a fact.

        Raises:
            UsageError: there is none of this id.

        """
        for record in self.all():
            for item in record.facts:
                if item.id == fact:
                    return item
        raise UsageError(
            "unknown-fact",
            f"there is no fact `{fact}`",
            hint="a message that names a fact gives its id, for example A-transformers-torch",
        )

    def digest(self, packages: Iterable[str]) -> str | None:
        """Hash what the facts about some packages decide; None where there is no fact."""
        records = [record for name in sorted(packages) if (record := self.of(name))]
        decided = [
            [
                *(fact.id, str(fact.releases), fact.on, str(fact.specifier)),
                *(fact.part is not None, fact.despite_extra),
            ]
            for record in records
            for fact in record.facts
        ]
        if not decided:
            return None
        text = json.dumps(decided, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def read_application(path: Path) -> Application:
    """Read one record; the bounds are held against the runs that they are drawn from.

    Raises:
        InputError: with the file and the entry.

    """
    entry = read_entry(path)
    package = entry.text("package")
    if package != path.stem or canonicalize_name(package) != package:
        raise entry.error("`package` is not the name of the file, normalized")
    runs = read_tables(entry, "runs", _run) if "runs" in entry.data else ()

    def fact(row: Entry) -> Fact:
        return _fact(row, package, runs)

    record = Application(
        package=package,
        declared=entry.text("declared"),
        probe=entry.optional("probe"),
        probe_with=entry.texts("probe-with", required=False),
        built=entry.texts("built", required=False),
        uv=entry.optional("uv"),
        runs=runs,
        facts=read_tables(entry, "facts", fact) if "facts" in entry.data else (),
    )
    entry.done()
    for trouble in contradictions(record):
        raise entry.error(trouble)
    return record


def contradictions(record: Application) -> Iterator[str]:
    """Yield where bounds and runs of a record contradict each other."""
    for run in record.runs:
        torch = Version(run.torch)
        hard = [
            fact
            for fact in record.facts
            if fact.on == TORCH and fact.part is None and not fact.despite_extra
        ]
        for version in (*run.works, *run.partly):
            for fact in hard:
                if fact.concerns(version) and fact.refuses(torch):
                    yield f"{version} works with torch {torch}, and {fact.id} refuses it"
        for version in run.fails:
            if not any(fact.concerns(version) for fact in hard):
                yield f"{version} fails with torch {torch}, and no fact is about it"
        for version in run.partly:
            if not any(fact.part is not None and fact.concerns(version) for fact in record.facts):
                yield f"a part of {version} fails with torch {torch}, and no fact is about it"


def _run(entry: Entry) -> Run:
    return Run(
        torch=str(_version(entry, "torch", entry.text("torch"))),
        python=entry.text("python"),
        date=entry.date(),
        by=entry.text("by"),
        ran=entry.text("ran"),
        works=_versions(entry, "works"),
        partly=_versions(entry, "partly"),
        fails=_versions(entry, "fails"),
        error=entry.optional("error"),
    )


def _versions(entry: Entry, key: str) -> tuple[Version, ...]:
    return tuple(_version(entry, key, text) for text in entry.texts(key, required=False))


def _version(entry: Entry, key: str, text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise entry.error(f"`{key}`: {error}") from error


def _fact(entry: Entry, package: str, runs: tuple[Run, ...]) -> Fact:
    identifier = entry.text("id")
    if not FACT_ID.fullmatch(identifier) or not identifier.startswith(f"A-{package}-"):
        raise entry.error(f"`id` must be A-{package}- and a word, not {identifier!r}")
    kinds = {"on", "cuda", "despite-extra"} & set(entry.data)
    if len(kinds) != 1:
        raise entry.error("exactly one of `on`, `cuda`, `despite-extra` must be given")
    [kind] = kinds
    if kind != "on" and not entry.take(kind, bool):
        raise entry.error(f"`{kind}` can only be true")
    on = entry.text("on") if kind == "on" else TORCH
    if on != TORCH and canonicalize_name(on) != on:
        raise entry.error(f"`on`: {on!r} is neither {TORCH} nor a normalized name")
    releases = entry.bound("releases")
    return Fact(
        id=identifier,
        package=package,
        releases=releases,
        why=entry.text("why"),
        evidence=entry.evidence(),
        date=entry.date(),
        sources=entry.texts("sources"),
        remedy=entry.optional("remedy"),
        part=entry.optional("part"),
        measured=tuple(
            sorted(
                {
                    run.torch
                    for run in runs
                    if any(
                        releases.contains(v, prereleases=True) for v in (*run.fails, *run.partly)
                    )
                }
            )
        ),
        on=on,
        specifier=_bound(entry, kind),
        cuda=kind == "cuda",
        despite_extra=kind == "despite-extra",
    )


def _bound(entry: Entry, kind: str) -> SpecifierSet:
    if kind == "cuda":
        return NO_BUILD
    return entry.bound("specifier") if kind == "on" else SpecifierSet()
