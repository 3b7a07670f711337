"""Where each file of a wheel belongs in an environment, without writing any."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import installer
from installer.destinations import WheelDestination
from installer.records import RecordEntry
from installer.utils import parse_metadata_file

from rdna1_lock.install.environment import UNFINISHED
from rdna1_lock.install.wheelfile import INSTALLERS_OWN, Member, Wheel, bad_wheel, reading
from rdna1_lock.urls import is_filename

if TYPE_CHECKING:
    from collections.abc import Iterable

    from installer.utils import Scheme

    from rdna1_lock.install.interpreter import Interpreter

# What a pip that is killed leaves behind begins so: no package keeps it.
LEFTOVER = "~"
# What `venv` and `sync` make, and no wheel may replace.
_ENVIRONMENTS_OWN = re.compile(
    rf"pyvenv\.cfg|{re.escape(UNFINISHED)}|bin/(python(\d(\.\d+)?)?|activate(\.\w+)?|Activate\.ps1)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders of an environment by the scheme of a wheel's files (PEP 427)."""

    prefix: str
    schemes: dict[str, str]
    python: str
    tag: str

    @classmethod
    def of(cls, environment: Interpreter) -> Layout:
        """Return the layout of an environment, with absolute paths."""
        paths = {key: os.path.realpath(value) for key, value in environment.paths.items()}
        prefix = os.path.realpath(environment.prefix)
        # As pip does: a virtual environment has no include folder of its own in sysconfig.
        site = os.path.join(prefix, "include", "site", f"python{environment.series}")
        return cls(
            prefix=prefix,
            schemes={
                "purelib": paths["purelib"],
                "platlib": paths["platlib"],
                "scripts": paths["scripts"],
                "data": paths["data"],
                "headers": site if environment.venv else paths["include"],
            },
            python=f"{environment.paths['scripts']}/python",
            tag=f"cpython-{environment.series.replace('.', '')}",
        )

    @property
    def sites(self) -> list[str]:
        """The site-packages folders; most environments have one."""
        return sorted({self.schemes["purelib"], self.schemes["platlib"]})

    def owned(self, path: str) -> bool:
        """Say whether a path is the environment's own: its interpreter, its activation scripts."""
        start = f"{self.prefix}/"
        return path.startswith(start) and bool(
            _ENVIRONMENTS_OWN.fullmatch(path.removeprefix(start))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One file: its place, and the member that it comes from or the object that a script starts."""

    path: str
    scheme: str
    member: Member | None
    recorded: str = ""
    starts: tuple[str, str] | None = None


class Destination(WheelDestination):
    """Says where files go; subclasses write them."""

    def __init__(self, wheel: Wheel, layout: Layout) -> None:
        self.wheel = wheel
        self.layout = layout

    def target(self, scheme: str, path: str) -> str:
        """Return the place of a file.

        Raises:
            InputError: it is one of the environment's own files.

        """
        if scheme == "headers":
            path = f"{self.wheel.distribution}/{path}"
        found = f"{self.layout.schemes[scheme]}/{path}"
        if self.layout.owned(found):
            raise bad_wheel(self.wheel.filename, f"it would replace the environment's own {found}")
        return found

    def script(self, name: str) -> str:
        """Return the place of a script.

        Raises:
            InputError: its name cannot be that of a file.

        """
        if not is_filename(name):
            raise bad_wheel(self.wheel.filename, f"it has a script {name!r}")
        return self.target("scripts", name)


class _Planner(Destination):
    def __init__(self, wheel: Wheel, layout: Layout) -> None:
        super().__init__(wheel, layout)
        self.files: list[Planned] = []

    def write_script(self, name: str, module: str, attr: str, section: Any) -> RecordEntry:
        path = self.script(name)
        self.files.append(Planned(path=path, scheme="scripts", member=None, starts=(module, attr)))
        return RecordEntry(name, None, None)

    def write_file(
        self,
        scheme: Scheme,
        path: str | os.PathLike[str],
        stream: Any,
        is_executable: bool,
    ) -> RecordEntry:
        member: Member = stream
        target = self.target(scheme, os.fspath(path))
        for site in self.layout.sites:
            if target.startswith(f"{site}/") and self._is_anothers(target[len(site) + 1 :]):
                raise bad_wheel(self.wheel.filename, f"it would write {target}")
        self.files.append(
            Planned(
                path=target,
                scheme=scheme,
                member=member,
                recorded=self.wheel.recorded.get(member.info.filename, ""),
            )
        )
        return RecordEntry(os.fspath(path), None, None)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """Nothing was written."""

    def _is_anothers(self, path: str) -> bool:
        """Say whether a path in site-packages belongs to another package or to the installer."""
        top, _, rest = path.partition("/")
        if top.endswith(".dist-info"):
            return top != self.wheel.dist_info_dir or rest in INSTALLERS_OWN | {"RECORD"}
        return top.startswith(LEFTOVER)


def plan(wheel: Wheel, layout: Layout) -> list[Planned]:
    """Return every file that installing a wheel writes, but for those of the installer.

    Raises:
        InputError: the wheel asks for what no wheel may.

    """
    planner = _Planner(wheel, layout)
    with reading(wheel.filename):
        installer.install(wheel, planner, {})
    return planner.files


def dist_info(wheel: Wheel, layout: Layout) -> Path:
    """Return the folder of a wheel's metadata once it is installed."""
    pure = parse_metadata_file(wheel.read_dist_info("WHEEL"))["Root-Is-Purelib"] == "true"
    return Path(layout.schemes["purelib" if pure else "platlib"]) / wheel.dist_info_dir
