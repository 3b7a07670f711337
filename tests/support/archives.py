"""Wheels file by file, for what no build tool would make."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from rdna1_lock import toml
from rdna1_lock.lock.digests import digests
from rdna1_lock.lock.model import TOOL

EPOCH = (2020, 1, 1, 0, 0, 0)


def rows(files: Mapping[str, bytes], algorithm: str = "sha256") -> str:
    """Return the RECORD of files; with the algorithm ``none`` it states no hash."""
    lines = []
    for name, content in files.items():
        hashed = ""
        if algorithm != "none":
            digest = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest())
            hashed = f"{algorithm}={digest.rstrip(b'=').decode()}"
        lines.append(f"{name},{hashed},{len(content)}")
    return "\n".join(lines) + "\n"


def write_archive(
    folder: Path,
    files: Mapping[str, bytes] | None = None,
    *,
    name: str = "mine",
    version: str = "1.0",
    info: str | None = None,
    metadata: str = "",
    record: Callable[[str], str | bytes] = lambda text: text,
    algorithm: str = "sha256",
    edit: Callable[[zipfile.ZipFile], None] = lambda archive: None,
) -> Path:
    """Write ``NAME-VERSION-py3-none-any.whl``.

    ``record`` changes the text of RECORD, ``edit`` the archive before its directory is written.
    """
    info = info or f"{name}-{version}.dist-info"
    inside = {
        f"{name}/__init__.py": f'__version__ = "{version}"\n'.encode(),
        **(files or {}),
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}\n"
        ).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    text = record(rows(inside, algorithm) + f"{info}/RECORD,,\n")
    inside[f"{info}/RECORD"] = text.encode() if isinstance(text, str) else text
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, content in inside.items():
            entry = zipfile.ZipInfo(inner, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
        edit(archive)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    path.write_bytes(buffer.getvalue())
    return path


def edit_lock(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the data of a lock, with digests that fit it again."""
    file = folder / "pylock.toml"
    data: dict[str, Any] = toml.loads(file.read_text())
    change(data)
    data["tool"][TOOL]["digests"] = digests(data)
    file.write_text(tomli_w.dumps(data))


def mark_legacy(folder: Path, name: str) -> None:
    """Have a lock say that a wheel's METADATA is from before PEP 440."""

    def change(data: dict[str, Any]) -> None:
        [package] = [one for one in data["packages"] if one["name"] == name]
        package.setdefault("tool", {}).setdefault(TOOL, {})["legacy-metadata"] = True

    edit_lock(folder, change)
