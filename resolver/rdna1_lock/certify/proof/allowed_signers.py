"""OpenSSH's file of allowed signers, for signatures that ``ssh-keygen`` does not check itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError, one_line
from rdna1_lock.regular import read_regular

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 2**24
KEY_TYPE = "ssh-ed25519"
# An option is a word, or a word with a value in double quotes, which may hold spaces and commas.
OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?')


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedKey:
    """An ed25519 key and the first principal that it is listed for."""

    principal: str
    base64: str

    @property
    def line(self) -> str:
        """The key as a line of OpenSSH's public key format."""
        return f"{KEY_TYPE} {self.base64}"


def read_allowed_signers(file: Path, *, namespace: str) -> list[AllowedKey]:
    """Return the ed25519 keys that may sign in a namespace.

    A line whose conditions cannot be honoured here is skipped, so its key is not trusted: a
    certificate authority, a key with a period of validity, an option that ssh-keygen(1) does not
    name.

    Raises:
        InputError: the file cannot be read.

    """
    try:
        text = read_regular(file, LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "no-signers",
            f"cannot read the allowed signers file {file}: {one_line(error)}",
        ) from error
    found = (_parse(line.strip(), namespace) for line in text.splitlines())
    return [key for key in found if key is not None]


def _parse(line: str, namespace: str) -> AllowedKey | None:
    """Read one line.

    ssh-keygen(1), ALLOWED SIGNERS: "principals, options, keytype, base64-encoded key", separated
    by white space. Empty lines and those that begin with ``#`` are comments. The options may be
    absent; they are separated by commas.
    """
    if not line or line.startswith("#"):
        return None
    principals, *others = line.split(None, 1)
    rest = "".join(others)
    if not rest.startswith(f"{KEY_TYPE} "):
        options, rest = _split_options(rest)
        if options is None or not _permits(options, namespace):
            return None
    words = rest.split(None, 2)
    if len(words) < 2 or words[0] != KEY_TYPE:
        return None
    return AllowedKey(principal=principals.strip('"').split(",")[0], base64=words[1])


def _split_options(text: str) -> tuple[dict[str, str] | None, str]:
    """Return the options at the start of a text, and what follows; None if they are malformed.

    Keywords are case-insensitive, and a keyword that occurs twice makes the line invalid.
    """
    options: dict[str, str] = {}
    at = 0
    while match := OPTION.match(text, at):
        name = match[1].lower()
        if name in options:
            return None, text
        options[name] = match[2] or ""
        at = match.end()
        if text[at : at + 1] != ",":
            break
        at += 1
    if not options or text[at : at + 1] not in {" ", "\t"}:
        return None, text
    return options, text[at:].lstrip()


def _permits(options: dict[str, str], namespace: str) -> bool:
    """Say whether a key may sign here; ``namespaces`` is the only condition that is understood."""
    if set(options) != {"namespaces"}:
        return False
    return matches(options["namespaces"], namespace)


def matches(patterns: str, word: str) -> bool:
    """Match a word against a pattern list.

    ssh_config(5), PATTERNS: ``*`` stands for any characters and ``?`` for one. A negated pattern
    (``!``) that matches excludes the word, whatever else matches.
    """
    found = False
    for pattern in patterns.split(","):
        negated = pattern.startswith("!")
        parts = (
            {"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern.removeprefix("!")
        )
        if re.fullmatch("".join(parts), word):
            if negated:
                return False
            found = True
    return found
