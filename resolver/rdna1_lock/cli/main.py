"""Entry point: commands are imported when they run, errors are printed here and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from rdna1_lock import __version__
from rdna1_lock.cli.render import print_error, print_json, say
from rdna1_lock.errors import Error, Exit, InputError, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

# Command name → what `rdna1-lock --help` says of it; the module has the same name.
COMMANDS = {
    "resolve": "Resolve requirements and write the lock folder.",
    "fetch": "Download the locked wheels, resumed and verified.",
    "sync": "Make a virtual environment exactly the lock.",
    "wheel": "Build wheels of source distributions, for --find-links.",
    "env": "Print the variables that a lock needs.",
    "nix": "Write the Nix files of a lock; put its wheels into the store.",
    "audit": "Find what is wrong with an environment, a lock or this machine.",
    "certify": "Prove by a sweep that convolutions work on this card.",
    "verify": "Check the certificates of a lock.",
    "rules": "Show the rules and stacks, with evidence and sources.",
    "cache": "Show or clear the cache.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"rdna1_lock.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="rdna1-lock %(version)s")
def cli() -> None:
    """Lock, and explain, PyTorch for AMD RDNA1 cards (RX 5500, 5600, 5700).

    Exit status: 0 yes; 1 the answer is no; 2 wrong usage; 3 bad input file; 4 index or
    network; 5 integrity; 6 valid but unsigned or by an unknown signer; 130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status; never raises."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        result = cli.main(args=arguments, prog_name="rdna1-lock", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        say("interrupted")
        return Exit.INTERRUPTED
    except SystemExit as error:
        # click ends so when the reader of a pipe has gone, with 1, which here means "no".
        return Exit.OK if error.code == 1 else int(error.code or 0)
    except Exception as error:
        known = _as_error(error)
        if known is not None:
            return _report(known, as_json=as_json)
        if os.environ.get("RDNA1_LOCK_DEBUG"):
            raise
        return _bug(error, as_json=as_json)
    return int(result) if isinstance(result, int) else Exit.OK


def _as_error(error: Exception) -> Error | None:
    """Return what a user can be told of an exception; None for a mistake of this program.

    The one place where exceptions of the operating system that nobody expected become errors: a
    full disk under the folder for temporary files, a folder above that cannot be read, a name that
    has no bytes.
    """
    if isinstance(error, Error):
        return error
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "rdna1-lock"
        return UsageError("usage", error.format_message().rstrip("."), hint=f"see `{where} --help`")
    if isinstance(error, OSError):
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        what = error.strerror or one_line(error)
        return InputError(
            "system",
            f"{' and '.join(names)}: {what}" if names else f"the operating system refuses: {what}",
            hint="check permissions and free space, also of the folder for temporary files (TMPDIR)",
        )
    if isinstance(error, subprocess.TimeoutExpired):
        return InputError(
            "system",
            f"{Path(str(error.cmd[0])).name} was not done after {error.timeout:.0f} seconds",
            hint="see what it waits for, and run again",
        )
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "start new thread" in str(error)
    ):
        return InputError(
            "system",
            f"the operating system refuses: {one_line(error)}",
            hint="raise the limits of this shell (`ulimit -a`), or free some memory",
        )
    if isinstance(error, UnicodeError):
        return InputError(
            "bad-text",
            f"a name or text has bytes that are not UTF-8: {one_line(error)}",
            hint="rename the file, or set LC_ALL=C.UTF-8",
        )
    return None


def _bug(error: Exception, *, as_json: bool) -> int:
    """Report a mistake in this program; whether something was written by then is not known."""
    bug = Error(
        "bug",
        f"{type(error).__name__}: {error}",
        hint="this is a mistake in rdna1-lock. Run again with RDNA1_LOCK_DEBUG=1 and report what it prints",
    )
    _tell(bug, Exit.BUG, as_json=as_json)
    return Exit.BUG


def _report(error: Error, *, as_json: bool) -> int:
    _tell(error, error.exit_status, as_json=as_json)
    return error.exit_status


def _tell(error: Error, status: Exit, *, as_json: bool) -> None:
    """Print an error; where standard output takes nothing, the exit status still tells it."""
    if as_json:
        with contextlib.suppress(OSError):
            print_json({"error": error.to_json(), "exit-status": int(status)})
    print_error(error)


def _open_closed_streams() -> None:
    """Give closed standard streams the null device.

    Otherwise the next file that is opened gets the number of a standard stream, and what a child
    process prints goes into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def _flushed(status: int) -> int:
    """Flush the standard streams; what cannot be written is an error where there was none."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            # Python flushes once more when it ends; that goes nowhere.
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
            if stream is sys.stdout and status == Exit.OK and error.errno != errno.EPIPE:
                status = _report(cast("Error", _as_error(error)), as_json=False)
    return status


def run() -> None:
    """Run the command line of this process.

    Downloads that nobody waits for any more must not hold up the exit, as Python's own way out
    would let them.
    """
    _open_closed_streams()
    status = _flushed(main())
    if threading.active_count() > 1:
        os._exit(status)
    sys.exit(status)
