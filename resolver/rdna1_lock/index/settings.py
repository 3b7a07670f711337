"""The default index is the one that the user's pip uses; no host is written down here."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError, one_line
from rdna1_lock.index.cache import Cache
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# `pip install --help` ends the help of --index-url with the default; `pip config` never shows it.
_DEFAULT = re.compile(r"--index-url.*?\(default\s+(https?://[^\s)]+)\)", re.DOTALL)
TIMEOUT = 60
LARGEST = 2**20


def default_index_url(environ: Mapping[str, str], cache_dir: Path | None) -> str:
    """Return pip's ``index-url`` setting, else pip's built-in index.

    pip's documentation ("Configuration") gives the order: the environment goes before every
    file, and of the files the later one goes before the earlier: global, user, site, then the
    file that PIP_CONFIG_FILE names.

    Raises:
        InputError: pip says nothing, and nor does the environment or a file.

    """
    url = environ.get("PIP_INDEX_URL")
    if url:
        return url
    found: dict[str, str] = {}
    for path in _config_files(environ):
        found.update(_settings(path))
    # [install] is more specific than [global], whichever file it stands in.
    return found.get("install") or found.get("global") or _built_in(Cache(cache_dir))


def _config_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield pip's configuration files, the strongest last."""
    named = environ.get("PIP_CONFIG_FILE")
    # "PIP_CONFIG_FILE=/dev/null" (os.devnull) switches all configuration files off.
    if named == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        yield Path(folder) / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    # "PIP_CONFIG_FILE ... if the file exists, user-specific configuration files are not loaded."
    if not (named and Path(named).exists()):
        yield home / ".pip" / "pip.conf"
        yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if named:
        yield Path(named)


def _settings(path: Path) -> dict[str, str]:
    """Return ``index-url`` of a configuration file by section; nothing for an unreadable file."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_regular(path, LARGEST).decode("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    return {
        section: value
        for section in ("global", "install")
        if parser.has_section(section)
        for key, value in parser.items(section)
        if key.replace("_", "-").removeprefix("--") == "index-url" and value
    }


def _built_in(cache: Cache) -> str:
    """Ask pip for its built-in index; the answer is remembered by pip's version and file time."""
    key = _pip_key()
    known = cache.get("pip", key)
    if known is not None:
        return known.decode()
    environ = {
        **{name: text for name, text in os.environ.items() if not name.startswith("PIP_")},
        "PIP_CONFIG_FILE": os.devnull,
        "COLUMNS": "1000",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--help"],
            capture_output=True,
            text=True,
            check=False,
            env=environ,
            timeout=TIMEOUT,
        )
        match = _DEFAULT.search(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _silent(one_line(error)) from error
    if match is None:
        raise _silent("its help names none")
    cache.put("pip", key, match[1].encode())
    return match[1]


def _pip_key() -> str:
    spec = find_spec("pip")
    if spec is None or spec.origin is None:
        raise _silent(f"{sys.executable} has no pip")
    return f"{spec.origin} {version('pip')} {Path(spec.origin).stat().st_mtime_ns}"


def _silent(why: str) -> InputError:
    return InputError(
        "no-index",
        f"pip does not say which index is its default: {why}",
        hint="name one with --index-url, or set PIP_INDEX_URL",
    )
