"""The tables beside the rules: what is known of stacks, the ROCm wheels, the cards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from rdna1_lock.rules.entry import Entry, read_entry, read_tables
from rdna1_lock.rules.location import constraints_dir
from rdna1_lock.rules.model import CataloguedWheel, Known

if TYPE_CHECKING:
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


def load_gpus(folder: Path | None = None) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Read the table of cards: PCI device id → (chip, gfx target, names by revision)."""
    entry = read_entry((folder or constraints_dir()) / "gpus.toml")
    entry.evidence()
    entry.date()
    entry.texts("sources")
    rows = read_tables(
        entry,
        "gpus",
        lambda row: (
            row.text("device").lower(),
            (row.text("chip"), row.text("gfx"), dict(row.take("names", dict))),
        ),
    )
    entry.done()
    return dict(rows)
