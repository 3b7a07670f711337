"""What an environment holds, against what the wheels of a lock put there."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rdna1_lock.install import probe
from rdna1_lock.install.matching import same
from rdna1_lock.install.place import Folders, walk
from rdna1_lock.install.plan import LEFTOVER, Layout, Planned, dist_info, plan
from rdna1_lock.install.record import compiled_from, recorded
from rdna1_lock.install.wheelfile import INSTALLERS_OWN, open_wheel, reading
from rdna1_lock.install.wheels import locked_filename
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from packaging.pylock import Package

    from rdna1_lock.install.interpreter import Interpreter
    from rdna1_lock.lock.model import Lock

SYSTEM_SITE = re.compile(
    rb"(?i)(?:(?<=[\r\n])|\A)([^\S\r\n]*include-system-site-packages[^\S\r\n]*=[^\S\r\n]*)true"
    rb"(?=[^\S\r\n]*(?:[\r\n]|\Z))"
)
LARGEST_CONFIG = 64 * 1024
# Files in a dist-info folder that belong to whoever installed it.
_INSTALLERS = INSTALLERS_OWN | {"RECORD", "uv_cache.json", "uv_build.json", "provenance_url.json"}
# `_virtualenv.pth` and `_virtualenv.py` of virtualenv 20.4 to 20.34 and uv 0.1 to 0.9: they mend
# distutils in a new environment, belong to no package and import nothing else.
_KNOWN = {
    "69ac3d8f27e679c81b94ab30b3b56e9cd138219b1ba94a1fa3606d5a76a1433d",
    "684b8c07932ba4a84ac2e5ae9afe49ef04e92bac3d8d4191d455cf09d093e5fc",
    "ce57d5e0d9b5d7356cb42da7450ba8f9359bdf693e335f4c921626943c77e64d",
    "c9199315871b11b12df226f890a38e66e63191e1adbfb11a66e6861151b33fca",
    "119e4eb9c1a39e6ffd220840844bd326fa1bd3acf2f1c9fa0612949aedc228a5",
    "0aeb86546345c1d0fada097536e35525714d5cdbcc2d8eb3f9912a955044fcff",
    "0f20351ea7e90039c46d3fabdef991f28b1e3ff33eb13ee6f0d5cd21ea0e8b14",
    "ee52b2e2e720a40885a6b4b90c40e28e5c70e550af74d5efd169eaa5db2a6f6f",
    "6cf30c56faf2a55228914dbbd17f8088ed371ebb08f5e7fa6fd931f913fcaf1d",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as locked.

    ``kind`` is missing, changed, extra, wrong-version, extraneous (a file of no package), leftover
    (of an interrupted pip) or setting (of pyvenv.cfg); for the last three ``package`` is the name of
    the file.
    """

    kind: str
    package: str
    what: str


@dataclass(kw_only=True)
class Survey:
    """The differences, and what is needed to mend them; paths are absolute.

    ``planned`` are the files of each locked package, ``installed`` the dist-info folders of each
    package that is there. A path in ``extraneous`` that ends with ``/`` is a folder.
    """

    layout: Layout
    planned: dict[str, set[str]] = field(default_factory=dict)
    installed: dict[str, list[Path]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    extraneous: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)

    def names(self, *kinds: str) -> list[str]:
        """Return the packages that differ in one of these ways, sorted."""
        return sorted({item.package for item in self.differences if item.kind in kinds})


def survey(lock: Lock, wheels: Path, environment: Interpreter) -> Survey:
    """Compare an environment with a lock, file by file; ``wheels`` holds the verified wheels.

    Raises:
        InputError: a locked wheel cannot be read.

    """
    return _Surveyor(Layout.of(environment)).run(lock, wheels)


class _Surveyor:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.found = Survey(layout=layout)
        self.folders = Folders([*layout.sites, layout.prefix, *layout.schemes.values()])
        self.known: set[str] = set()
        self.right: set[str] = set()
        self.wrong: list[tuple[str, Difference]] = []

    def run(self, lock: Lock, wheels: Path) -> Survey:
        found = self.found
        for site in self.layout.sites:
            self._list_distributions(site)
        others = dict(found.installed)
        for package in lock.packages:
            others.pop(str(package.name), None)
            self._package(package, wheels / locked_filename(package))
        # Where two wheels have one file, that of either is right.
        found.differences += [item for path, item in self.wrong if path not in self.right]
        for name, folders in sorted(others.items()):
            self._differ("extra", name, " and ".join(map(_version, folders)))
            for folder in folders:
                self.known |= recorded(folder) or set()
        self._list_strays()
        self._look_at_settings()
        return found

    def _differ(self, kind: str, package: str, what: str) -> None:
        self.found.differences.append(Difference(kind=kind, package=package, what=what))

    def _list_distributions(self, site: str) -> None:
        try:
            names = sorted(os.listdir(site))
        except OSError:
            return
        for name in names:
            path = f"{site}/{name}"
            if name.startswith(LEFTOVER):
                self.found.leftovers.append(path)
                self._differ("leftover", name, "is what an interrupted pip left")
            elif name.endswith(".dist-info") and self.folders.real(path):
                metadata = probe.read_metadata(f"{path}/METADATA") or {}
                stem = name.removesuffix(".dist-info").partition("-")[0]
                found = canonicalize_name(metadata.get("name") or stem)
                self.found.installed.setdefault(found, []).append(Path(path))

    def _package(self, package: Package, file: Path) -> None:
        name = str(package.name)
        with open_wheel(file) as wheel, reading(file.name):
            files = plan(wheel, self.layout)
            own = dist_info(wheel, self.layout)
            self.found.planned[name] = {planned.path for planned in files}
            self.known |= self.found.planned[name]
            there = self.found.installed.get(name, [])
            if not there:
                self._differ("missing", name, str(package.version))
                return
            if there != [own]:
                self._differ("wrong-version", name, " and ".join(map(_version, there)))
                for folder in there:
                    self.known |= recorded(folder) or set()
                return
            self.known |= {f"{own}/{one}" for one in _INSTALLERS}
            for planned in files:
                self._file(name, planned)
        self._record(name, own)

    def _file(self, name: str, planned: Planned) -> None:
        kind = None
        if self.folders.regular(planned.path) is None:
            kind = "changed" if os.path.lexists(planned.path) else "missing"
        elif not same(planned):
            kind = "changed"
        if kind is None:
            self.right.add(planned.path)
        else:
            what = Difference(kind=kind, package=name, what=planned.path)
            self.wrong.append((planned.path, what))

    def _record(self, name: str, folder: Path) -> None:
        """Hold the installed RECORD against the plan: by it other tools remove the package."""
        rows = recorded(folder)
        if rows is None or not self.found.planned[name] <= rows:
            self._differ("changed", name, f"{folder}/RECORD")
            return
        for path in sorted(rows - self.known):
            if compiled_from(path, self.layout.tag) is None and os.path.lexists(path):
                self._differ("changed", name, f"{path} is not in its wheel")
                self.known.add(path)

    def _list_strays(self) -> None:
        """Find what belongs to no package in site-packages: Python would import or run it."""
        strays = []
        for site in self.layout.sites:
            for path in walk(site):
                top = path[len(site) + 1 :].partition("/")[0]
                if path in self.known or top.startswith(LEFTOVER):
                    continue
                source = compiled_from(path, self.layout.tag)
                if source in self.known and self.folders.regular(path):
                    continue
                if top == path[len(site) + 1 :] and self._virtualenvs(path):
                    continue
                if self._broken_metadata(site, path):
                    continue
                strays.append((site, path))
        holding = {parent for path in self.known for parent in _parents(path)}
        shown = dict.fromkeys(_topmost(site, path, holding) for site, path in sorted(strays))
        self.found.extraneous = list(shown)
        for path in shown:
            self._differ("extraneous", self._short(path), "belongs to no locked package")

    def _broken_metadata(self, site: str, path: str) -> bool:
        """Say whether a file is in the dist-info folder of a package that goes or comes anew."""
        folder = f"{site}/{path[len(site) + 1 :].partition('/')[0]}"
        if not folder.endswith(".dist-info"):
            return False
        mended = set(self.found.names("extra", "wrong-version"))
        return any(
            Path(folder) in folders and name in mended
            for name, folders in self.found.installed.items()
        )

    def _virtualenvs(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        if name not in {"_virtualenv.pth", "_virtualenv.py"}:
            return False
        try:
            content = read_regular(path, LARGEST_CONFIG, follow=False)
        except OSError:
            return False
        if hashlib.sha256(content).hexdigest() not in _KNOWN:
            return False
        self.known.add(path)
        return True

    def _short(self, path: str) -> str:
        for site in self.layout.sites:
            if path.startswith(f"{site}/"):
                return path[len(site) + 1 :]
        return path

    def _look_at_settings(self) -> None:
        try:
            text = read_regular(f"{self.layout.prefix}/pyvenv.cfg", LARGEST_CONFIG)
        except OSError:
            return
        if SYSTEM_SITE.search(text):
            self._differ("setting", "pyvenv.cfg", "include-system-site-packages = true")


def _version(folder: Path) -> str:
    metadata = probe.read_metadata(str(folder / "METADATA")) or {}
    return metadata.get("version") or "without metadata"


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:number]) for number in range(1, len(parts))]


def _topmost(site: str, path: str, holding: set[str]) -> str:
    """Return the highest folder around a file that holds nothing known, else the file."""
    for parent in _parents(path):
        if len(parent) > len(site) and parent not in holding:
            return f"{parent}/"
    return path
