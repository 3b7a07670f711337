"""The scanner of index pages against the standard library's parser, where that one is quick."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdna1_lock.index.html import start_tags

WANTED = frozenset({"a", "base"})


class Parser(HTMLParser):
    """What ``html.parser`` finds; the first of two attributes of one name counts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in WANTED:
            self.found.append((tag, dict(reversed(attrs))))


def expected(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Parser()
    parser.feed(text)
    parser.close()
    return parser.found


names = st.sampled_from(["href", "HREF", "data-yanked", "data-requires-python", "rel", "x"])
values = st.text("abc &;<>'=/#?.-%\n", max_size=12)


@st.composite
def attributes(draw: st.DrawFn) -> str:
    name, kind = draw(names), draw(st.integers(0, 3))
    space = draw(st.sampled_from(["", " ", "\n "]))
    if kind == 0:
        return name
    if kind == 1:
        return f'{name}{space}={space}"{draw(values).replace(chr(34), "")}"'
    if kind == 2:
        return f"{name}='{draw(values).replace(chr(39), '')}'"
    return f"{name}={draw(st.text('abc/#?.-%&', min_size=1, max_size=8))}"


pieces = st.one_of(
    st.builds(
        lambda tag, attrs: f"<{tag} {' '.join(attrs)}>",
        st.sampled_from(["a", "A", "base", "p", "br/", "link"]),
        st.lists(attributes(), max_size=4),
    ),
    st.sampled_from(
        ["</a>", "</p>", "text", "\n", "&lt;a&gt;", "<!-- <a href=x> -->", "<!DOCTYPE html>"]
    ),
    st.sampled_from(["<script>if (a<b) '<a href=x>'</script>", "<title>&lt;<b></title>"]),
)


@given(st.lists(pieces, max_size=8).map("".join))
def test_both_find_the_same_tags(text: str):
    assert list(start_tags(text, WANTED)) == expected(text)


@given(st.text("<>a/ ='\"!-bse", max_size=40))
def test_tag_soup_ends_and_finds_no_more_than_there_is(text: str):
    assert len(list(start_tags(text, WANTED))) <= text.count("<")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("<a href=x", 0),
        ("<a href='x>", 0),
        ("<a href=x><a href=y", 1),
        ("<!-- <a href=x>", 0),
        ("<!--><a href=x>", 1),
        ("<script><a href=x>", 0),
        ("<script></SCRIPT><a href=x>", 1),
        ("</a href=x><a href=y>", 1),
        ("<<a href=x>", 1),
        ("< a href=x>", 0),
        ("<abbr href=x>", 0),
        ("<a/href=x>", 1),
        ("<a =x href=y>", 1),
    ],
)
def test_the_odd_ones(text: str, count: int):
    found = list(start_tags(text, WANTED))
    assert len(found) == count
