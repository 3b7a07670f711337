"""From the user's words to a request for the search: every question about the words themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError, UsageError
from rdna1_lock.model import Target
from rdna1_lock.moment import read_moment
from rdna1_lock.resolution.inputs import UserInput, read_constraints, read_file
from rdna1_lock.resolution.model import Request
from rdna1_lock.rules import DEFAULT_STACK, load_recipe, load_stack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from rdna1_lock.rules import Recipe, Stack


@dataclass(frozen=True, kw_only=True)
class ResolveRequest:
    """What to resolve, from where, and what stands in the way of keeping old pins.

    ``requirements`` are PEP 508 strings; without any, and without ``files`` and ``recipe``, the
    stack's own. ``stack`` None is that of the recipe, else the default. ``allow`` names facts that
    do not count.
    ``place`` is the lock folder (or, with ``one_file``, the file) whose pins are preferred, by
    default ``locks/NAME``, and NAME is by default STACK-cpXY, RECIPE-cpXY, or
    RECIPE-STACK-cpXY where both are given; ``one_file`` without ``place`` starts
    afresh. ``portable`` None means: as the existing lock, else no.
    """

    requirements: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    constraints: tuple[Path, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    recipe: str | None = None
    allow: tuple[str, ...] = ()
    stack: str | None = None
    gfx: tuple[str, ...] = ()
    python_version: str | None = None
    platform: str | None = None
    index_url: str | None = None
    rocm_index_url: str | None = None
    find_links: tuple[Path, ...] = ()
    prereleases: bool = False
    exclude_newer: str | None = None
    offline: bool = False
    live: bool = False
    catalogue: bool = True
    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    portable: bool | None = None
    name: str | None = None
    place: Path | None = None
    one_file: bool = False


@dataclass(frozen=True, kw_only=True)
class FromFiles:
    """Settings that stood in the user's files rather than on the command line."""

    index_url: str | None
    find_links: tuple[Path, ...]
    credentials: Mapping[str, tuple[str, str]]
    notes: tuple[str, ...] = ()


def load_asked(asked: ResolveRequest) -> tuple[Stack, Recipe | None]:
    """Return the stack and the recipe that a request names.

    Raises:
        UsageError: there is none of this name.

    """
    recipe = None if asked.recipe is None else load_recipe(asked.recipe)
    return load_stack(asked.stack or (recipe.stack if recipe else DEFAULT_STACK)), recipe


def make_request(
    asked: ResolveRequest,
    stack: Stack,
    recipe: Recipe | None,
    environ: Mapping[str, str],
) -> tuple[Request, FromFiles]:
    """Read everything that the user named; ``environ`` is what files may refer to.

    Raises:
        UsageError, InputError: with the option, or the file and line, that is wrong.

    """
    gfx = _gfx(asked.gfx, stack)
    target = Target.parse(
        asked.python_version or stack.default_python, asked.platform or stack.platform
    )
    user = _user_input(asked, stack, recipe, gfx, environ)
    request = Request(
        requirements=tuple(user.requirements),
        target=target,
        stack=stack,
        gfx=gfx,
        prereleases=user.prereleases,
        exclude_newer=_moment(asked.exclude_newer),
        requires_python=tuple(user.requires_python),
        allow=frozenset(asked.allow),
    )
    return request, FromFiles(
        index_url=user.index_url,
        find_links=tuple(user.find_links),
        credentials=user.credentials,
        notes=_extra_indexes(user, stack),
    )


def _user_input(
    asked: ResolveRequest,
    stack: Stack,
    recipe: Recipe | None,
    gfx: tuple[str, ...],
    environ: Mapping[str, str],
) -> UserInput:
    """Collect the requirements and constraints of arguments, files, a recipe, or the stack."""
    user = UserInput(prereleases=asked.prereleases)
    if (asked.extras or asked.groups) and not any(path.suffix == ".toml" for path in asked.files):
        raise UsageError("no-pyproject", "--extra and --group need a pyproject.toml, given with -r")
    for folder in asked.find_links:
        if not folder.is_dir():
            raise UsageError("no-folder", f"--find-links: there is no folder {folder}")
    for text in asked.requirements:
        user.add(text, "command line", label="command line")
    for path in asked.files:
        read_file(path, user, extras=asked.extras, groups=asked.groups, environ=environ)
    if recipe is not None:
        label = f"recipe {recipe.id}"
        for text in stack.expand(recipe.requirements, gfx):
            user.add(text, label, label=label)
        for text in recipe.constraints:
            user.add(text, label, label=label, constraint=True)
    elif not asked.requirements and not asked.files:
        label = f"stack {stack.id}"
        for text in stack.expand(stack.requirements, gfx):
            user.add(text, label, label=label)
    for path in asked.constraints:
        read_constraints(path, user, environ=environ)
    return user


def _gfx(chosen: tuple[str, ...], stack: Stack) -> tuple[str, ...]:
    from rdna1_lock.rules import load_gpus

    for name in chosen:
        if name not in stack.gfx:
            raise UsageError(
                "unknown-gfx",
                f"`{name}` is not a card of the stack {stack.id}",
                hint=f"choose from {load_gpus().sold_as}; newer cards have official wheels",
            )
    return tuple(name for name in stack.gfx if not chosen or name in chosen)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = read_moment(text)
    if moment is None:
        raise UsageError(
            "bad-date",
            f"--exclude-newer: `{text}` is not a date",
            hint="write 2026-01-31 or 2026-01-31T12:00:00Z",
        )
    return moment


def _extra_indexes(user: UserInput, stack: Stack) -> tuple[str, ...]:
    """Refuse an extra index (R03), but for the ROCm index itself, which is asked anyway."""
    notes = []
    for url, where in user.extra_index_urls:
        if url.rstrip("/") != stack.index:
            raise InputError(
                "extra-index",
                f"{where}: --extra-index-url is refused: whichever index has the higher version would win",
                facts=(
                    f"the option names {url.rpartition('@')[2]}",
                    f"the stack {stack.id} asks {stack.index} for the torch family, and nothing else",
                ),
                hint="remove the line; name your mirror with --index-url, and wheels of your own with --find-links",
            )
        notes.append(
            f"{where}: the ROCm index is asked for the torch family only; the line is not needed"
        )
    return tuple(notes)
