"""Requirements to a lock: read what is there, search, build; writing is a step of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from rdna1_lock.emit.difference import different_inputs, differing
from rdna1_lock.emit.ownership import not_ours
from rdna1_lock.emit.pylock import emit_pylock
from rdna1_lock.errors import OutOfDateError, UsageError
from rdna1_lock.lock.build import build_lock, facts_of, make_inputs
from rdna1_lock.lock.files import LARGEST, write_files
from rdna1_lock.lock.model import SCHEMA, is_own
from rdna1_lock.regular import read_regular
from rdna1_lock.requirements import read_requirement
from rdna1_lock.rules import load_catalogue, load_rules
from rdna1_lock.tasks.existing import load_existing
from rdna1_lock.tasks.request import load_asked, make_request
from rdna1_lock.text import printable, without_credentials
from rdna1_lock.urls import BadURLError, read_url

if TYPE_CHECKING:
    from rdna1_lock.lock.model import Inputs, Lock
    from rdna1_lock.resolution.model import HeldBack, Request, Resolution, Unmeasured
    from rdna1_lock.resolution.standing import Standing
    from rdna1_lock.rules import Recipe, RuleSet, Stack
    from rdna1_lock.tasks.context import Context
    from rdna1_lock.tasks.existing import Existing
    from rdna1_lock.tasks.request import ResolveRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a new lock does to one package; None where there is no such version."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a run cost: requests, bytes received, seconds."""

    requests: int = 0
    received: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A lock and what it changes; ``kept`` says that nothing was asked, since nothing changed.

    ``direct`` are the projects that were asked for, ``standings`` those with newer releases.
    """

    lock: Lock
    existing: Existing
    kept: bool
    changes: tuple[Change, ...] = ()
    direct: frozenset[str] = frozenset()
    standings: tuple[Standing, ...] = ()
    notes: tuple[str, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    effort: Effort = Effort()

    @property
    def texts(self) -> dict[Path, str]:
        """The text of each file of the lock."""
        return texts_of(self.existing, self.lock)

    @property
    def pylock(self) -> str:
        """The text of ``pylock.toml``."""
        return emit_pylock(self.lock)


def resolve(request: ResolveRequest, context: Context) -> Resolved:
    """Resolve a request to a lock; writes nothing.

    Raises:
        NoSolutionError: the requirements cannot be met together.
        UsageError, InputError: the request, or a file that it names, does not say what it must.
        NetworkError, IntegrityError: an index cannot be used, or contradicts another source.

    """
    started = time.monotonic()
    rules, (stack, recipe) = load_rules(), load_asked(request)
    for fact in request.allow:
        rules.applications.by_id(fact)
    asked, from_files = make_request(request, stack, recipe, context.environ)
    existing = load_existing(_place(request, asked), one_file=request.one_file)
    portable = existing.portable if request.portable is None else request.portable

    def index_url() -> str:
        return _index_url(request, from_files.index_url, context)

    find_links = (*request.find_links, *from_files.find_links)
    rocm_index = request.rocm_index_url
    inputs = make_inputs(
        asked,
        rules,
        portable=portable,
        index=None if portable else read_url(index_url()).text,
        rocm_index=None if rocm_index is None or portable else read_url(rocm_index).text,
        catalogue=request.catalogue,
        find_links=bool(find_links),
        recipe=request.recipe,
    )
    kept = not (request.upgrade or request.upgrade_packages or request.live or find_links)
    if kept and existing.lock and _up_to_date(existing, inputs, rules):
        return Resolved(lock=existing.lock, existing=existing, kept=True)
    asked = _with_preferences(asked, existing, request)
    from rdna1_lock.tasks.sources import open_sources  # the HTTP library: 150 ms

    with open_sources(
        request,
        asked,
        context,
        index_url=index_url(),
        find_links=find_links,
        credentials=from_files.credentials,
        catalogue=load_catalogue() if request.catalogue else (),
        rules=rules,
    ) as (sources, http):
        from rdna1_lock.resolution.resolve import resolve as search

        resolution = search(asked, sources, rules)
    lock = build_lock(resolution, asked, inputs, rules)
    return Resolved(
        lock=lock,
        existing=existing,
        kept=False,
        changes=_changes(existing, lock),
        direct=resolution.direct,
        standings=resolution.standings,
        notes=(*from_files.notes, *_notes(resolution, stack, recipe, lock)),
        held_back=resolution.held_back,
        unmeasured=_unmeasured(resolution, recipe, request),
        effort=Effort(
            requests=http.requests, received=http.bytes, seconds=time.monotonic() - started
        ),
    )


def write(resolved: Resolved) -> tuple[Path, ...]:
    """Write the files of a lock; returns those that changed.

    Raises:
        InputError: the folder cannot be written, or files in it are not ours; all files are as
            they were.

    """
    texts = resolved.texts
    if not texts:
        return ()
    folder = next(iter(texts)).parent
    names = {path.name: text for path, text in texts.items()}
    return tuple(write_files(folder, names, foreign=not_ours))


def check(resolved: Resolved) -> None:
    """Compare the files of a lock with what they would be.

    Raises:
        OutOfDateError: a file would change.

    """
    stale = [path.name for path, text in resolved.texts.items() if _is_stale(path, text)]
    if stale:
        raise OutOfDateError(
            "lock-out-of-date",
            f"{resolved.existing.path} would change",
            facts=(*map(describe, resolved.changes), *_why(resolved, stale)),
            hint="run the same command without --check",
        )


def _why(resolved: Resolved, stale: list[str]) -> list[str]:
    """Name the parts of a lock that are not what they would be, and its stale files."""
    old = resolved.existing.lock
    if old is None:
        return [f"there is no {name}" for name in stale]
    facts = []
    if old.schema < SCHEMA:
        facts.append(f"it has schema {old.schema}; this rdna1-lock writes {SCHEMA}")
    facts += [f"`{part}` was edited: it does not match its digest" for part in old.edited]
    differ = [part for part in differing(old, resolved.lock) if part not in old.edited]
    if "inputs" in differ:
        facts += different_inputs(old.inputs, resolved.lock.inputs)
    facts += [f"`{part}` differs" for part in differ if part not in {"packages", "inputs"}]
    return facts or [f"{name} is not what the inputs give" for name in stale]


def describe(change: Change) -> str:
    """Write a change as a line: ``+ name version``, ``- name version`` or ``~ name old -> new``."""
    if change.new is None:
        return f"- {change.name} {change.old}"
    if change.old is None:
        return f"+ {change.name} {change.new}"
    return f"~ {change.name} {change.old} -> {change.new}"


def texts_of(existing: Existing, lock: Lock) -> dict[Path, str]:
    """Return the text of every file that a lock has where the existing one lies."""
    return {path: emit(lock) for path, emit in existing.emitters.items()}


def _up_to_date(existing: Existing, inputs: Inputs, rules: RuleSet) -> bool:
    """Say whether the lock was made from these inputs and its files are as they were written.

    Pins are kept while they fit, so nothing on an index could change such a lock. What is known of
    its own packages could, and is compared; what is known of others is not even read.
    """
    lock = existing.lock
    if lock is None or lock.edited or replace(lock.inputs, facts=None) != inputs:
        return False
    if facts_of((str(package.name) for package in lock.packages), rules) != lock.inputs.facts:
        return False
    return not any(_is_stale(path, text) for path, text in texts_of(existing, lock).items())


def _is_stale(path: Path, text: str) -> bool:
    """Say whether a file is missing or holds another text."""
    try:
        return read_regular(path, LARGEST) != text.encode()
    except OSError:
        return True


def _changes(existing: Existing, lock: Lock) -> tuple[Change, ...]:
    """Return the packages that a new lock adds, removes or moves, by name; removals first."""
    if existing.lock is not None:
        old = {str(p.name): str(p.version) for p in existing.lock.packages}
    else:
        old = {name: pin.version for name, pin in existing.preferences.items()}
    new = {str(package.name): str(package.version) for package in lock.packages}
    gone = sorted(old.keys() - new.keys())
    return tuple(
        Change(name=name, old=old.get(name), new=new.get(name))
        for name in [*gone, *sorted(new)]
        if old.get(name) != new.get(name)
    )


def _place(request: ResolveRequest, asked: Request) -> Path | None:
    """Return where the lock lies: as the request says, else ``locks/NAME``."""
    if request.place is not None or request.one_file:
        return request.place
    python = asked.target.python_series.replace(".", "")
    label = request.recipe or asked.stack.id
    if request.recipe and request.stack:
        label += f"-{asked.stack.id}"
    name = request.name or f"{label}-cp{python}"
    if Path(name).name != name or name in {".", ".."}:
        raise UsageError(
            "bad-name",
            f"`{name}` is not the name of a folder in ./locks",
            hint="--output-dir takes a path",
        )
    return Path("locks") / name


def _index_url(request: ResolveRequest, from_file: str | None, context: Context) -> str:
    url = request.index_url or from_file
    if url is None:
        from rdna1_lock.index.settings import default_index_url

        url = default_index_url(context.environ, context.cache)
    for option, value in (("--index-url", url), ("--rocm-index-url", request.rocm_index_url)):
        if value is not None:
            _check_index(value, option)
    return url


def _check_index(url: str, option: str) -> None:
    try:
        clean = read_url(url)
        trouble = "" if clean.scheme in {"http", "https"} else "is not an http or https URL"
    except BadURLError as error:
        trouble = str(error)
    if trouble:
        raise UsageError(
            "bad-index-url",
            f"{option}: {printable(without_credentials(url))} {trouble}",
            hint=f"give the root of a simple index with {option}; a folder of wheels goes with --find-links",
        )


def _with_preferences(asked: Request, existing: Existing, request: ResolveRequest) -> Request:
    if request.upgrade:
        return asked
    dropped = {canonicalize_name(name) for name in request.upgrade_packages}
    kept = {name: pin for name, pin in existing.preferences.items() if name not in dropped}
    return replace(asked, preferences=kept)


def _unmeasured(
    resolution: Resolution, recipe: Recipe | None, request: ResolveRequest
) -> tuple[Unmeasured, ...]:
    """Return what nobody ran with this torch; what a recipe was run with is not among it."""
    if recipe is None or recipe.probe is None:
        return resolution.unmeasured
    own = {
        read_requirement(text, "command line", folder=None).parsed.name
        for text in request.requirements
    }
    names = {canonicalize_name(name) for name in own}
    return tuple(
        one for one in resolution.unmeasured if one.newest is not None or one.package in names
    )


def _notes(resolution: Resolution, stack: Stack, recipe: Recipe | None, lock: Lock) -> list[str]:
    notes = list(resolution.notes)
    if recipe is not None and recipe.not_run is not None:
        notes.append(f"the recipe {recipe.id} was not run: {recipe.not_run}")
    if stack.experimental and resolution.uses_stack:
        notes.append(f"the stack {stack.id} is experimental: {stack.summary}")
    own = [
        wheel.filename
        for package in lock.packages
        if is_own(package)
        for wheel in package.wheels or ()
    ]
    if own:
        notes.append(
            f"no index has {', '.join(own)}: copy it into the folder `wheels` next to the lock"
        )
    return notes
