"""Text from outside, made fit to print: what passed here can stand in a line of a terminal."""

from __future__ import annotations

import re
import unicodedata

# Cc: controls, escape sequences among them. Cf: invisible and bidirectional marks, by which text
# can look like other text. Cs: lone surrogates, which no output encodes. Cn, Co: no character that
# everybody has. Zl, Zp: line breaks.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_PLAIN = re.compile(r"[ -~]*")
# Also with one slash: what a path makes of a URL.
_CREDENTIALS = re.compile(r"(\w:/{1,2})[^/\s@?#]*@")
_SECRETS = re.compile(
    r"([?&](?:access_token|api_?key|auth|key|password|secret|signature|sig|token)=)[^&#\s'\"]+",
    re.IGNORECASE,
)
LONGEST = 2000


def printable(text: str, *, keep: str = "") -> str:
    """Return text with every hidden character written as its escape; those in ``keep`` stay."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _HIDDEN
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def one_line(text: str, limit: int = LONGEST) -> str:
    """Return foreign text as one printable line of at most ``limit`` characters."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_credentials(text: str) -> str:
    """Take user names, passwords and tokens out of every URL in a text."""
    if ":/" not in text:
        return text
    return _SECRETS.sub(r"\1***", _CREDENTIALS.sub(r"\1", text))
