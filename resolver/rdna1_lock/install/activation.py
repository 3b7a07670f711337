"""The stack's variables, as text for a shell, and set when an environment is activated."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from rdna1_lock.lock.files import replace_file
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST = 2**20
BEGIN, END = "# >>> rdna1-lock >>>", "# <<< rdna1-lock <<<"
_BLOCK = re.compile(rf"\n?{re.escape(BEGIN)}\n.*?{re.escape(END)}\n", re.DOTALL)


def as_sh(env: Mapping[str, str]) -> str:
    """Return ``export`` lines for sh, bash and zsh."""
    return "".join(f"export {name}={shlex.quote(env[name])}\n" for name in sorted(env))


def as_fish(env: Mapping[str, str]) -> str:
    """Return ``set -gx`` lines for fish."""
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in env.items()}
    return "".join(f"set -gx {name} '{quoted[name]}'\n" for name in sorted(env))


def as_dotenv(env: Mapping[str, str]) -> str:
    """Return ``NAME=value`` lines, quoted where needed."""
    return "".join(f"{name}={shlex.quote(env[name])}\n" for name in sorted(env))


def as_json(env: Mapping[str, str]) -> str:
    """Return a JSON object of names and values."""
    return json.dumps(dict(sorted(env.items())), indent=2) + "\n"


FORMATS = {"sh": as_sh, "fish": as_fish, "dotenv": as_dotenv, "json": as_json}


def write_activation(scripts: Path, env: Mapping[str, str]) -> list[Path]:
    """Have the activation scripts of an environment set the variables, and unset them again.

    What the variables were before comes back with ``deactivate``. Empty ``env`` takes the blocks
    out. Returns the scripts that changed. A script is replaced as a whole or stays as it was.

    Raises:
        OSError: a script is not a regular file, or cannot be replaced.

    """
    changed = []
    for name, edit in (("activate", _sh), ("activate.fish", _fish)):
        path = scripts / name
        try:
            # As bytes: the path of the environment in it may not be UTF-8.
            old = read_regular(path, LARGEST, follow=False).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            continue
        new = edit(_BLOCK.sub("\n", old) if BEGIN in old else old, env)
        if new != old:
            mode = path.stat().st_mode & 0o7777
            replace_file(path, new.encode("utf-8", "surrogateescape"), mode)
            changed.append(path)
    return changed


def _block(*lines: str) -> str:
    return "\n".join(["", BEGIN, *lines, END, ""])


def _sh(text: str, env: Mapping[str, str]) -> str:
    if not env:
        return text
    restore = []
    for name in sorted(env):
        old = f"_RDNA1_LOCK_OLD_{name}"
        restore += [
            f'    if [ -n "${{{old}+x}}" ] ; then',
            f'        if [ "${old}" = "unset" ] ; then unset {name} ; else {name}="${{{old}#set:}}" ; export {name} ; fi',
            f"        unset {old}",
            "    fi",
        ]
    save = []
    for name in sorted(env):
        old = f"_RDNA1_LOCK_OLD_{name}"
        save += [
            f'if [ -n "${{{name}+x}}" ] ; then {old}="set:${name}" ; else {old}="unset" ; fi',
            f"export {name}={shlex.quote(env[name])}",
        ]
    inside = re.sub(
        r"^deactivate \(\) \{$",
        lambda match: match[0] + _block(*restore).rstrip("\n"),
        text,
        count=1,
        flags=re.MULTILINE,
    )
    return inside.rstrip("\n") + "\n" + _block(*save).lstrip("\n")


def _fish(text: str, env: Mapping[str, str]) -> str:
    if not env:
        return text
    restore, save = [], []
    for name in sorted(env):
        old = f"_RDNA1_LOCK_OLD_{name}"
        restore += [
            f"    if set -q {old}",
            f"        if test \"${old}\" = unset; set -e {name}; else; set -gx {name} (string replace -r '^set:' '' -- ${old}); end",
            f"        set -e {old}",
            "    end",
        ]
        save.append(f'if set -q {name}; set -g {old} "set:${name}"; else; set -g {old} unset; end')
    save += as_fish(env).splitlines()
    inside = re.sub(
        r"^function deactivate.*$",
        lambda match: match[0] + _block(*restore).rstrip("\n"),
        text,
        count=1,
        flags=re.MULTILINE,
    )
    return inside.rstrip("\n") + "\n" + _block(*save).lstrip("\n")
