"""The other tables of ``constraints/``: known outcomes, the ROCm wheels, chips and cards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from rdna1_lock.rules.entry import Entry, read_entry, read_tables
from rdna1_lock.rules.location import constraints_dir
from rdna1_lock.rules.model import CataloguedWheel, Known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


def load_known(folder: Path | None = None) -> tuple[Known, ...]:
    """Read ``known.toml``: what was seen to work and to fail, and where."""
    entry = read_entry((folder or constraints_dir()) / "known.toml")
    entry.date()
    found = read_tables(entry, "known", _known)
    entry.done()
    return found


def _known(entry: Entry) -> Known:
    outcome = entry.text("outcome")
    if outcome not in {"works", "fails"}:
        raise entry.error(f"`outcome` must be works or fails, not {outcome!r}")
    return Known(
        torch=entry.specifier("torch") or SpecifierSet(),
        rocm=entry.specifier("rocm") or SpecifierSet(),
        gpus=entry.texts("gpus"),
        override=entry.optional("override"),
        works=outcome == "works",
        what=entry.text("what"),
        evidence=entry.evidence(),
        source=entry.text("source"),
    )


def load_catalogue(folder: Path | None = None) -> tuple[CataloguedWheel, ...]:
    """Read the known ROCm wheels."""
    entry = read_entry((folder or constraints_dir()) / "catalogue" / "wheels.toml")
    entry.date()
    wheels = read_tables(entry, "wheels", _wheel)
    entry.done()
    return wheels


def _wheel(entry: Entry) -> CataloguedWheel:
    sha256 = entry.optional("sha256")
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise entry.error("`sha256` must be 64 lower-case hexadecimal digits")
    requires = entry.texts("requires", required=False) if "requires" in entry.data else None
    entry.texts("requires-evidence", required=False)
    return CataloguedWheel(
        filename=entry.text("filename"),
        url=entry.text("url"),
        sha256=sha256,
        requires=requires,
        requires_python=entry.optional("requires-python"),
        extras=entry.texts("extras", required=False),
        gone=entry.optional("gone"),
        evidence=entry.evidence(),
        sources=entry.texts("sources"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """An RDNA1 chip: ``gfx`` is its target, ``version`` KFD's ``gfx_target_version``."""

    name: str
    gfx: str
    version: int
    cards: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is sold with a PCI device id: its chip, and marketing names by PCI revision."""

    chip: Chip
    names: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Gpus:
    """The RDNA1 chips and cards; ``cards`` is by PCI device id, e.g. ``0x731f``."""

    chips: tuple[Chip, ...]
    cards: Mapping[str, Card]

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The targets that count as RDNA1, e.g. ``gfx1010``."""
        return tuple(chip.gfx for chip in self.chips)

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """The same as KFD's ``gfx_target_version``, e.g. 100100."""
        return tuple(chip.version for chip in self.chips)

    @cached_property
    def sold_as(self) -> str:
        """Which cards they are, for people: ``RX 5600 and 5700 (gfx1010), ...``."""
        return ", ".join(f"{chip.cards} ({chip.gfx})" for chip in self.chips)


def load_gpus(folder: Path | None = None) -> Gpus:
    """Read ``gpus.toml``: the one list of RDNA1 targets, and the cards."""
    entry = read_entry((folder or constraints_dir()) / "gpus.toml")
    entry.evidence()
    entry.date()
    entry.texts("sources")
    chips = {chip.name: chip for chip in read_tables(entry, "chips", _chip)}

    def card(row: Entry) -> tuple[str, Card]:
        chip = row.text("chip")
        if chip not in chips:
            raise row.error(f"`chip`: there is no chip {chip}")
        names = row.take("names", dict)
        return row.text("device").lower(), Card(chip=chips[chip], names=names)

    cards = dict(read_tables(entry, "gpus", card))
    entry.done()
    return Gpus(chips=tuple(chips.values()), cards=cards)


def _chip(entry: Entry) -> Chip:
    return Chip(
        name=entry.text("name"),
        gfx=entry.text("gfx"),
        version=entry.take("gfx-target-version", int),
        cards=entry.text("cards"),
    )
