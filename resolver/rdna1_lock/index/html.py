"""The links of a PEP 503 page, found in one pass over its text.

Not ``html.parser``: it looks through the rest of a page again for every tag that does not end, so
that 60 KB of ``<a `` take minutes. Of HTML this knows what "valid HTML5" needs of a page of links:
tags with attributes, comments, and elements whose content is text.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"</?([A-Za-z][^\s/>]*)")
_BETWEEN = re.compile(r"[\s/=]*")
_ATTRIBUTE = re.compile(r"([^\s/>=]+)(?:\s*=\s*([\"']|[^\s>\"'][^\s>]*)?)?")
_RAW_TEXT = {"script", "style", "textarea", "title"}
Attributes = dict[str, str | None]


def start_tags(text: str, wanted: frozenset[str]) -> Iterator[tuple[str, Attributes]]:
    """Yield the start tags of the wanted elements, by lower-case name, with their attributes.

    As in the HTML standard, the first of two attributes of one name counts, and a tag or comment
    that the end of the text cuts off is dropped.
    """
    position = 0
    while (start := text.find("<", position)) >= 0:
        if text.startswith("<!--", start):
            position = _after(text, "-->", start + 2)
            continue
        match = _NAME.match(text, start)
        if match is None:  # a doctype, or a bare "<"
            position = start + 1
            continue
        attributes, position = _attributes(text, match.end())
        if position < 0:
            return
        name = match[1].lower()
        if text[start + 1] == "/":
            continue
        if name in wanted:
            yield name, attributes
        if name in _RAW_TEXT:
            position = _raw_end(text, name, position)
        if position < 0:
            return


def _unescaped(value: str) -> str:
    try:
        return unescape(value)
    except ValueError:  # a character's number with more digits than int() takes
        return value


def _after(text: str, end: str, start: int) -> int:
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end)


def _raw_end(text: str, name: str, position: int) -> int:
    match = re.compile(rf"</{name}", re.IGNORECASE).search(text, position)
    return -1 if match is None else match.start()


def _attributes(text: str, position: int) -> tuple[Attributes, int]:
    """Read attributes up to ``>``; the position after it, or -1 where the text ends before."""
    found: Attributes = {}
    while True:
        position = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]  # may be empty
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            closed = text.startswith(">", position)
            return found, position + 1 if closed else -1
        value, position = match[2], match.end()
        if value in {'"', "'"}:
            closing = text.find(value, position)
            if closing < 0:
                return found, -1
            value, position = text[position:closing], closing + 1
        found.setdefault(match[1].lower(), None if value is None else _unescaped(value))
