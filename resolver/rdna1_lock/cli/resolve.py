"""``rdna1-lock resolve``: requirements to a lock folder."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.locked import Existing, load_existing, up_to_date
from rdna1_lock.cli.render import Downloads
from rdna1_lock.cli.report import Effort, Wanted, finish, finish_unchanged
from rdna1_lock.cli.request import Asked, make_request
from rdna1_lock.errors import UsageError
from rdna1_lock.index.parse import strip_credentials
from rdna1_lock.lock.build import build_lock, make_inputs
from rdna1_lock.rules import DEFAULT_STACK, load_catalogue, load_rules, load_stack

if TYPE_CHECKING:
    from rdna1_lock.lock.model import Lock
    from rdna1_lock.resolution.model import Request, Resolution
    from rdna1_lock.rules import Stack


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to resolve and what to do with the result; what is asked for stands in ``Asked``."""

    name: str | None
    output_dir: Path | None
    output: str | None
    rocm_index_url: str | None
    cache_dir: Path | None
    offline: bool
    live: bool
    catalogue: bool
    upgrade: bool
    upgrade_packages: tuple[str, ...]
    check: bool
    portable: bool | None
    as_json: bool
    quiet: bool


@click.command("resolve", short_help="Resolve requirements and write the lock folder.")
@click.argument("requirements", metavar="[REQ]...", nargs=-1)
@click.option(
    "-r",
    "--requirement",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Requirements file or pyproject.toml; may be repeated.",
)
@click.option(
    "-c",
    "--constraint",
    "constraints",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Bounds for what is needed anyway.",
)
@click.option(
    "--extra",
    "extras",
    metavar="NAME",
    multiple=True,
    help="Extra of a pyproject.toml given with -r.",
)
@click.option(
    "--group",
    "groups",
    metavar="NAME",
    multiple=True,
    help="Dependency group of a pyproject.toml given with -r.",
)
@click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    help="Builds that belong together; `rdna1-lock rules` lists them.",
)
@click.option(
    "--gfx",
    metavar="TARGET",
    multiple=True,
    help="Card to lock for, e.g. gfx1010 [default: all of the stack].",
)
@click.option("--python-version", metavar="X.Y", help="CPython to lock for [default: the stack's].")
@click.option(
    "--platform",
    metavar="TAG",
    help="manylinux_2_N_x86_64: oldest glibc to lock for [default: the stack's].",
)
@click.option(
    "--index-url",
    metavar="URL",
    help="Default index [default: the one that pip is configured for].",
)
@click.option(
    "--rocm-index-url", metavar="URL", help="Index of the torch family [default: the stack's]."
)
@click.option(
    "-f",
    "--find-links",
    "find_links",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Folder with wheels of your own.",
)
@click.option(
    "--name", metavar="NAME", help="Name of the lock folder in ./locks [default: STACK-cpXY]."
)
@click.option(
    "--output-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The lock folder itself, instead of ./locks/NAME.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write one file only: pylock*.toml or *.txt; - for standard output.",
)
@click.option("--pre", "prereleases", is_flag=True, help="Allow pre-releases of everything.")
@click.option(
    "--exclude-newer",
    metavar="DATE",
    help="Only files uploaded before (2026-01-31 or RFC 3339); not for the torch family.",
)
@click.option("--offline", is_flag=True, help="Only the cache and the catalogue.")
@click.option(
    "--live", is_flag=True, help="Ask the ROCm index too; it must agree with the catalogue."
)
@click.option(
    "--catalogue/--no-catalogue",
    default=True,
    help="Use the embedded catalogue of ROCm wheels [default: yes].",
)
@click.option("-U", "--upgrade", is_flag=True, help="Do not keep the pins of the existing lock.")
@click.option(
    "-P",
    "--upgrade-package",
    "upgrade_packages",
    metavar="NAME",
    multiple=True,
    help="Do not keep the pin of this package.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the lock would change.")
@click.option(
    "--portable/--no-portable",
    default=None,
    help="Name files of the default index by name and hash, not by URL [default: as the existing lock, else no].",
)
@click.option(
    "--cache-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    envvar="RDNA1_LOCK_CACHE_DIR",
    help="Folder of the cache.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def command(**arguments: Any) -> int:
    """Resolve REQ... (or the stack's own requirements) into a hashed, reproducible lock.

    Writes pylock.toml, requirements.txt and the Nix files into ./locks/STACK-cpXY. The torch family
    comes from the ROCm index and from nowhere else, everything else from the default index.
    """
    names = Asked.__dataclass_fields__
    asked = Asked(**{key: value for key, value in arguments.items() if key in names})
    options = Options(**{key: value for key, value in arguments.items() if key not in names})
    return _run(asked, options)


def _run(asked: Asked, options: Options) -> int:
    started = time.monotonic()
    _check_combination(options)
    rules = load_rules()
    stack = load_stack(asked.stack)
    request, user = make_request(asked, stack)
    existing = load_existing(_place(options, request), one_file=options.output is not None)
    portable = existing.portable if options.portable is None else options.portable
    index_url = _index_url(asked, user.index_url, options) if not portable else None
    inputs = make_inputs(
        request, rules, portable=portable, index=strip_credentials(index_url) if index_url else None
    )
    find_links = (*asked.find_links, *user.find_links)
    wanted = Wanted(
        output=options.output, check=options.check, as_json=options.as_json, quiet=options.quiet
    )
    fixed = not (options.upgrade or options.upgrade_packages or options.live or find_links)
    if fixed and options.catalogue and existing.lock and up_to_date(existing, inputs):
        return finish_unchanged(existing, wanted)
    request = _with_preferences(request, existing, options)
    downloads = Downloads(quiet=options.quiet)
    from rdna1_lock.cli.places import open_sources  # the HTTP library: 150 ms

    with open_sources(
        index_url=lambda: index_url or _index_url(asked, user.index_url, options),
        rocm_index_url=options.rocm_index_url,
        find_links=find_links,
        cache_dir=options.cache_dir,
        offline=options.offline,
        live=options.live,
        catalogue=load_catalogue() if options.catalogue else (),
        request=request,
        rules=rules,
        downloads=downloads,
    ) as (sources, http):
        from rdna1_lock.resolution.resolve import resolve

        resolution = resolve(request, sources, rules)
    lock = build_lock(resolution, request, inputs, rules)
    notes = (*user.notes, *_notes(resolution, stack, lock))
    effort = Effort(requests=http.requests, received=http.bytes, seconds=time.monotonic() - started)
    return finish(lock, existing, wanted, notes, effort)


def _check_combination(options: Options) -> None:
    clashes = [
        (
            options.offline and options.live,
            "--offline",
            "--live",
            "the live index is on the network",
        ),
        (
            options.live and not options.catalogue,
            "--live",
            "--no-catalogue",
            "there is nothing to agree with; --no-catalogue alone uses the live index",
        ),
        (
            options.name is not None and options.output_dir is not None,
            "--name",
            "--output-dir",
            "--name is a folder in ./locks, --output-dir the folder itself",
        ),
        (
            options.output is not None and (options.name or options.output_dir) is not None,
            "--output",
            "--name or --output-dir",
            "--output writes one file and no folder",
        ),
        (
            options.check and options.output == "-",
            "--check",
            "--output -",
            "there is no file to compare with",
        ),
        (
            options.as_json and options.output == "-",
            "--json",
            "--output -",
            "both want standard output",
        ),
    ]
    for clash, one, other, why in clashes:
        if clash:
            raise UsageError("options-clash", f"{one} and {other} do not go together: {why}")
    if options.output not in {None, "-"}:
        name = Path(str(options.output)).name
        if not (name.endswith(".txt") or (name.startswith("pylock") and name.endswith(".toml"))):
            raise UsageError(
                "unknown-format",
                f"`{name}` does not say which format to write",
                hint="name it pylock.toml or pylock.NAME.toml (PEP 751), or NAME.txt for pip",
            )


def _place(options: Options, request: Request) -> Path | None:
    if options.output is not None:
        return None if options.output == "-" else Path(options.output)
    if options.output_dir is not None:
        return options.output_dir
    version = request.target.python_series.replace(".", "")
    name = options.name or f"{request.stack.id}-cp{version}"
    if Path(name).name != name or name in {".", ".."}:
        raise UsageError(
            "bad-name",
            f"`{name}` is not the name of a folder in ./locks",
            hint="--output-dir takes a path",
        )
    return Path("locks") / name


def _index_url(asked: Asked, from_file: str | None, options: Options) -> str:
    url = asked.index_url or from_file
    if url is None:
        from rdna1_lock.index.settings import default_index_url

        url = default_index_url()
    for option, value in (("--index-url", url), ("--rocm-index-url", options.rocm_index_url)):
        if value is not None and not value.startswith(("https://", "http://")):
            raise UsageError(
                "bad-index-url",
                f"{strip_credentials(value)} is not an http or https URL",
                hint=f"give the root of a simple index with {option}; a folder of wheels goes with --find-links",
            )
    return url


def _with_preferences(request: Request, existing: Existing, options: Options) -> Request:
    from dataclasses import replace

    from packaging.utils import canonicalize_name

    if options.upgrade:
        return request
    dropped = {canonicalize_name(name) for name in options.upgrade_packages}
    kept = {name: pin for name, pin in existing.preferences.items() if name not in dropped}
    return replace(request, preferences=kept)


def _notes(resolution: Resolution, stack: Stack, lock: Lock) -> list[str]:
    notes = list(resolution.notes)
    if stack.experimental and resolution.uses_stack:
        notes.append(f"the stack {stack.id} is experimental: {stack.summary}")
    own = [
        wheel.filename
        for package in lock.packages
        if package.tool
        for wheel in package.wheels or ()
    ]
    if own:
        notes.append(
            f"put {', '.join(own)} into the folder `wheels` beside the lock; no index has it"
        )
    return notes
