"""Which index may serve which project: the torch family here, everything else there (R03)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.version import Version

from rdna1_lock.hashes import REPLACED, agree, hash_file
from rdna1_lock.index.interface import Page
from rdna1_lock.legacy import read_specifier
from rdna1_lock.model import IndexFile, WheelMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.specifiers import SpecifierSet

    from rdna1_lock.index.interface import Index
    from rdna1_lock.model import Target, Wheel
    from rdna1_lock.rules import CataloguedWheel, RuleSet, Stack

__all__ = ["Sources"]


class Sources:
    """All places that have wheels, asked in the way that the rules allow.

    With ``catalogue`` the embedded one answers for the torch family, and the ROCm index is
    asked for what it cannot answer. With ``live`` both are asked and must agree. An empty
    catalogue leaves the index alone.
    """

    def __init__(
        self,
        *,
        default: Index,
        rocm: Index,
        urls: Index,
        local: Index,
        catalogue: Iterable[CataloguedWheel],
        live: bool,
        stack: Stack,
        rules: RuleSet,
        target: Target,
    ) -> None:
        self._indexes: dict[str, Index] = {
            "default": default,
            "rocm": rocm,
            "local": local,
            "url": urls,
        }
        self._stack = stack
        self._rules = rules
        self._target = target
        self._live = live
        self._catalogue = {wheel.filename: wheel for wheel in catalogue if wheel.gone is None}
        self._by_name: dict[str, list[CataloguedWheel]] = {}
        for wheel in self._catalogue.values():
            name = wheel.filename.partition("-")[0].lower().replace("_", "-")
            self._by_name.setdefault(name, []).append(wheel)

    def close(self) -> None:
        """Stop what still runs."""
        for index in self._indexes.values():
            index.close()

    def origin(self, name: str) -> str:
        """Return which index serves a project: ``rocm`` or ``default``."""
        return "rocm" if self._stack.in_family(name) else "default"

    def files(self, name: str, *, live: bool = False) -> tuple[bool, list[tuple[IndexFile, str]]]:
        """Say whether a project is known, and return its files with where each comes from."""
        local = self._indexes["local"].page(name)
        files = [(file, "local") for file in local.files]
        if self.origin(name) == "default":
            page = self._indexes["default"].page(name)
            files += [(file, "default") for file in page.files]
        else:
            page = self._rocm_page(name, live=live or self._live)
            files += [(file, "rocm") for file in page.files]
        for file in local.files:
            self._agree(file, "the folder given by --find-links")
        return page.found or local.found, files

    def can_ask_live(self, name: str, specifier: SpecifierSet) -> bool:
        """Say whether the ROCm index may hold what the catalogue lacks.

        The table of releases answers for most requests without any contact.
        """
        if self._live or not self._catalogue or self.origin(name) == "default":
            return False
        series = self._stack.series
        if series is None or name not in self._rules.family:
            return True
        return any(
            self._target.python_series in pythons
            and specifier.contains(Version(f"{release}+rocm{series}"), prereleases=True)
            for release, pythons in self._rules.releases(name, series).items()
        )

    def _rocm_page(self, name: str, *, live: bool) -> Page:
        known = tuple(
            IndexFile(
                filename=wheel.filename,
                url=wheel.url,
                sha256=wheel.sha256,
                requires_python=wheel.requires_python,
            )
            for wheel in self._by_name.get(name, ())
            if wheel.sha256 is not None
        )
        if not live and (known or self._catalogue):
            return Page(name=name, found=bool(known), files=known)
        page = self._indexes["rocm"].page(name)
        files = [self._agree(file, f"the ROCm index ({_host(file)})") for file in page.files]
        listed = {file.filename for file in files}
        files += [file for file in known if file.filename not in listed]
        return Page(name=name, found=page.found or bool(known), files=tuple(files))

    def _agree(self, file: IndexFile, who: str) -> IndexFile:
        """Hold a file against the catalogue; a different hash stops everything."""
        known = self._catalogue.get(file.filename)
        if known is None or known.sha256 is None:
            return file
        stated = hash_file(file.local_path) if file.local_path else file.sha256
        agree(
            file.filename,
            {"the embedded catalogue": known.sha256, who: stated},
            more=(f"    the catalogue has it from {source}" for source in known.sources),
            hint=f"{REPLACED}. A wheel that you changed yourself needs a build tag of its own",
        )
        return file if stated is not None else replace(file, sha256=known.sha256)

    def metadata(self, wheel: Wheel) -> WheelMetadata:
        """Return what a wheel requires; the catalogue knows it for its own."""
        known = self._catalogue.get(wheel.filename)
        if wheel.source == "rocm" and known is not None and known.requires is not None:
            return WheelMetadata(
                requires=tuple(map(Requirement, known.requires)),
                requires_python=read_specifier(known.requires_python),
                extras=frozenset(known.extras),
            )
        return self._indexes[wheel.source].metadata(wheel)

    def sha256(self, wheel: Wheel) -> str:
        """Return the hash of a chosen wheel; never an invented one."""
        known = self._catalogue.get(wheel.filename)
        if known is not None and known.sha256 is not None and known.sha256 == wheel.file.sha256:
            return known.sha256
        return self._indexes[wheel.source].sha256(wheel)

    def prefetch_hashes(self, wheels: Iterable[Wheel]) -> None:
        """Start to read the wheels whose hash nobody states, all at once."""
        for wheel in wheels:
            self._indexes[wheel.source].prefetch_hashes((wheel,))

    def prefetch_pages(self, names: Iterable[str]) -> None:
        """Start to fetch pages that will be asked for, each from its own index."""
        for name in names:
            if self.origin(name) == "default":
                self._indexes["default"].prefetch_pages((name,))
            elif self._live or not self._catalogue:
                self._indexes["rocm"].prefetch_pages((name,))

    def prefetch_metadata(self, wheel: Wheel) -> None:
        """Start to fetch the metadata of a wheel that will probably be chosen."""
        known = self._catalogue.get(wheel.filename)
        if wheel.source != "rocm" or known is None or known.requires is None:
            self._indexes[wheel.source].prefetch_metadata((wheel,))


def _host(file: IndexFile) -> str:
    return urlsplit(file.url).hostname or file.url
