"""Requirements files line by line, as pip reads them, with the files that they include.

Sections of https://pip.pypa.io/en/stable/reference/requirements-file-format/ are named where the
code follows them.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdna1_lock.errors import InputError, one_line
from rdna1_lock.regular import read_regular
from rdna1_lock.requirements.lines import BadLine, Line, OptionLine, RequirementLine, place
from rdna1_lock.requirements.parse import read_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MOST_FILES = 500
# The largest environments have some thousand packages.
MOST_LINES = 20_000
LARGEST = 16 * 2**20
_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_HASH = re.compile(r"(\w+):([0-9a-fA-F]+)")
_LONG = {
    "-c": "--constraint",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
    "-r": "--requirement",
}
_KNOWN = {
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--pre",
    # These change nothing about which wheels are right.
    "--no-cache-dir",
    "--only-binary",
    "--prefer-binary",
    "--require-hashes",
    "--trusted-host",
    "--use-feature",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The file whose lines are read; ``parents`` are the files that include it.

    ``included`` is one list for all files of a read: files that include each other twice over
    are read twice for each way to them.
    """

    path: Path
    constraint: bool
    environ: Mapping[str, str]
    parents: tuple[Path, ...] = ()
    included: list[Path] = field(default_factory=list)


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    Raises:
        InputError: it does not exist, cannot be read, or is not UTF-8.

    """
    try:
        content = read_regular(path, LARGEST)
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise InputError("no-file", f"there is no file {path}") from None
    except UnicodeDecodeError as error:
        raise InputError("bad-file", f"{path} is not UTF-8 text: {one_line(error)}") from error
    except OSError as error:
        raise InputError("bad-file", f"{path} cannot be read: {error.strerror}") from error


def read_requirements(
    path: Path, environ: Mapping[str, str], *, constraint: bool = False
) -> Iterator[Line]:
    """Yield the lines of a file, those of included files in their place.

    A line that cannot be read is a ``BadLine``: whoever reads decides what that means.

    Raises:
        InputError: the file itself cannot be read.

    """
    lines = _read(_File(path=path, constraint=constraint, environ=environ))
    for number, line in enumerate(lines, 1):
        if number > MOST_LINES:
            raise InputError("bad-file", f"{path} asks for more than {MOST_LINES} things")
        yield line


def read_lines(
    numbered: Iterable[tuple[int | None, str]], path: Path, environ: Mapping[str, str]
) -> Iterator[Line]:
    """Yield what stands in lines that another file holds, as conda's environment.yml does."""
    file = _File(path=path, constraint=False, environ=environ)
    for number, line in _logical(numbered):
        yield from _line(line, number, file)


def _read(file: _File) -> Iterator[Line]:
    for number, line in _logical(enumerate(read_text(file.path).splitlines(), 1)):
        yield from _line(line, number, file)


def _logical(numbered: Iterable[tuple[int | None, str]]) -> Iterator[tuple[int | None, str]]:
    """Join continued lines and drop comments; each keeps the number of its first line.

    "Line continuations" and "Comments": continuations are processed before comments are
    stripped, and a comment line within a continuation ends it.
    """
    pending: list[str] = []
    start: int | None = None
    for number, raw in numbered:
        start = start if pending else number
        comment = raw.lstrip().startswith("#")
        if raw.endswith("\\") and not comment:
            pending.append(raw[:-1])
            continue
        line = "".join([*pending, "" if comment else raw])
        pending = []
        line = _COMMENT.sub("", line).strip()
        if line:
            yield start, line
    rest = _COMMENT.sub("", "".join(pending)).strip()
    if rest:
        yield start, rest


def _line(text: str, number: int | None, file: _File) -> Iterator[Line]:
    # "Using environment variables": ${NAME} in capitals; one that is not set stays as it is.
    text = _VARIABLE.sub(lambda match: file.environ.get(match[1], match[0]), text)
    try:
        if text.startswith("-"):
            yield from _option(text, number, file)
        else:
            yield _requirement(text, number, file)
    except InputError as error:
        yield BadLine(file=file.path, number=number, error=error)


def _requirement(line: str, number: int | None, file: _File) -> RequirementLine:
    where = place(file.path, number)
    text, *options = re.split(r"\s+(?=--)", line)
    asked = read_requirement(text, where, folder=file.path.parent)
    return RequirementLine(
        file=file.path,
        number=number,
        parsed=asked.parsed,
        credentials=asked.credentials,
        constraint=file.constraint,
        hashes=frozenset(_hash(option, where) for option in options),
    )


def _hash(option: str, where: str) -> tuple[str, str]:
    name, _, value = option.replace(" ", "=", 1).partition("=")
    match = _HASH.fullmatch(value.strip())
    if name != "--hash" or match is None:
        raise InputError("bad-option", f"{where}: the option `{option}` is not supported")
    return match[1], match[2].lower()


def _option(line: str, number: int | None, file: _File) -> Iterator[Line]:
    where = place(file.path, number)
    name, value = _name_and_value(line, where)
    if name in {"--requirement", "--constraint"}:
        yield from _included(value, where, file, constraint=name == "--constraint")
    elif name == "--editable":
        raise InputError(
            "not-a-wheel",
            f"{where}: an editable install cannot be locked",
            hint="only wheels can be locked: build one with `pip wheel` and use --find-links",
        )
    elif name in _KNOWN:
        yield OptionLine(file=file.path, number=number, name=name, value=value)
    else:
        raise InputError("bad-option", f"{where}: the option `{name}` is not supported")


def _name_and_value(line: str, where: str) -> tuple[str, str]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InputError("bad-option", f"{where}: {one_line(error)}") from error
    name, separator, value = words[0].partition("=")
    if not separator:
        if name[:2] in _LONG and len(name) > 2:
            name, value = name[:2], name[2:]
        else:
            value = words[1] if len(words) > 1 else ""
    return _LONG.get(name, name), value


def _included(value: str, where: str, file: _File, *, constraint: bool) -> Iterator[Line]:
    path = file.path.parent / value
    parents = (*file.parents, file.path.resolve())
    if path.resolve() in parents:
        raise InputError("file-loop", f"{where}: {path} includes itself")
    file.included.append(path)
    if len(file.included) > MOST_FILES:
        raise InputError("file-loop", f"{where}: more than {MOST_FILES} files are included")
    try:
        yield from _read(
            _File(
                path=path,
                constraint=constraint or file.constraint,
                environ=file.environ,
                parents=parents,
                included=file.included,
            )
        )
    except InputError as error:
        raise InputError(error.code, f"{where}: {error.message}", hint=error.hint) from error
