"""``rdna1-lock resolve``: requirements to a lock folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rdna1_lock.cli.report import Shown, show_resolved, show_text, show_unchanged
from rdna1_lock.cli.terminal import open_context
from rdna1_lock.emit.formats import format_of
from rdna1_lock.errors import UsageError
from rdna1_lock.rules import DEFAULT_STACK
from rdna1_lock.tasks import resolve as tasks
from rdna1_lock.tasks.request import ResolveRequest
from rdna1_lock.tasks.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping


def _one_recipe(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> str | None:
    if len(names) > 1:
        raise UsageError(
            "options-clash",
            f"--for takes one recipe, and {' and '.join(names)} are given",
            hint="make a lock for each, or name their requirements yourself",
        )
    return names[0] if names else None


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
    "--for",
    "recipe",
    metavar="RECIPE",
    multiple=True,
    callback=_one_recipe,
    help="Lock a recipe, e.g. yolo; `rdna1-lock rules recipes` lists them.",
)
@click.option(
    "--allow",
    metavar="FACT-ID",
    multiple=True,
    help="Lock a release although it is known not to run, e.g. A-transformers-torch.",
)
@click.option(
    "--stack",
    help=f"Builds that belong together; `rdna1-lock rules` lists them [default: {DEFAULT_STACK}, or the recipe's].",
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
    _check_combination(arguments)
    output, check = arguments["output"], arguments["check"]
    names = ResolveRequest.__dataclass_fields__
    request = ResolveRequest(**{key: arguments[key] for key in names if key in arguments})
    request = replace(request, **_place(arguments))
    show = Shown(as_json=arguments["as_json"], quiet=arguments["quiet"], output=output)
    with open_context(quiet=show.silent, cache_dir=arguments["cache_dir"]) as context:
        resolved = resolve(request, context)
    if output == "-":
        return show_text(resolved)
    if resolved.kept:
        return show_unchanged(resolved, show)
    if check:
        tasks.check(resolved)
    changed = () if check else tasks.write(resolved)
    return show_resolved(resolved, changed, show)


def _place(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the lock goes, as the fields of a request; None is standard output."""
    output, folder = arguments["output"], arguments["output_dir"]
    if output is not None:
        place = None if output == "-" else Path(output)
        if place is not None:
            format_of(place.name)
        return {"place": place, "one_file": True}
    return {"place": folder}


def _check_combination(given: Mapping[str, Any]) -> None:
    """Refuse options that contradict each other."""
    clashes = [
        ("offline", "live", "the live index is on the network"),
        (
            "live",
            "no_catalogue",
            "there is nothing to agree with; --no-catalogue alone uses the live index",
        ),
        ("name", "output_dir", "--name is a folder in ./locks, --output-dir the folder itself"),
        ("output", "name", "--output writes one file and no folder"),
        ("output", "output_dir", "--output writes one file and no folder"),
        ("check", "to_stdout", "there is no file to compare with"),
        ("as_json", "to_stdout", "both write to standard output"),
    ]
    words = {"as_json": "--json", "to_stdout": "--output -"}
    on = {
        **given,
        "no_catalogue": not given["catalogue"],
        "to_stdout": given["output"] == "-",
    }
    for one, other, why in clashes:
        if on[one] and on[other]:
            names = [words.get(key, "--" + key.replace("_", "-")) for key in (one, other)]
            raise UsageError("options-clash", f"{' and '.join(names)} do not go together: {why}")
