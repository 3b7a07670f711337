"""Dependency groups of a ``pyproject.toml`` (PEP 735), each group read once however often it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEEPEST = 100


def read_group(table: Any, name: str) -> list[str]:
    """Return the requirements of a group and of those that it includes.

    A group that is included twice counts once: groups that include each other twice over would be
    read twice for each way to them.

    Raises:
        ValueError: there is no such group, or it includes itself.
        TypeError: it has not PEP 735's form.

    """
    if not isinstance(table, dict):
        raise TypeError("`dependency-groups` is not a table")
    known: dict[str, Any] = {}
    for key, items in table.items():
        if canonicalize_name(key) in known:
            raise ValueError(f"there are two groups `{canonicalize_name(key)}`")
        known[canonicalize_name(key)] = items
    return list(_items(known, canonicalize_name(name), (), set()))


def _items(
    known: Mapping[str, Any], name: str, parents: tuple[str, ...], done: set[str]
) -> Iterator[str]:
    if name in parents:
        raise ValueError(f"it includes itself: {' -> '.join((*parents, name))}")
    if len(parents) > DEEPEST:
        raise ValueError(f"more than {DEEPEST} groups include each other")
    if name in done:
        return
    done.add(name)
    items = known.get(name)
    if items is None:
        raise ValueError(f"there is no group `{name}`")
    if not isinstance(items, list):
        raise TypeError(f"the group `{name}` is not a list")
    for item in items:
        if isinstance(item, str):
            yield item
        elif (
            isinstance(item, dict)
            and item.keys() == {"include-group"}
            and isinstance(item["include-group"], str)
        ):
            yield from _items(
                known, canonicalize_name(item["include-group"]), (*parents, name), done
            )
        else:
            raise TypeError(f"the group `{name}` holds what is neither a requirement nor a group")
