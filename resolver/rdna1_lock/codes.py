"""Every error code, with its exit status and meaning: a contract with programs.

One code has one exit status. A test holds every place that raises an error to this table, and
docs/errors.md is made from it.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses of the command line; they are part of its contract."""

    OK = 0
    NO = 1
    USAGE = 2
    INPUT = 3
    NETWORK = 4
    INTEGRITY = 5
    UNSIGNED = 6
    BUG = 70
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "yes",
    Exit.NO: "the answer is no: no solution, a lock that would change, errors in an audit, a failed sweep",
    Exit.USAGE: "wrong usage of the command line",
    Exit.INPUT: "a file, folder or tool on this machine is not what it must be",
    Exit.NETWORK: "an index or file cannot be fetched, or is not what an index sends",
    Exit.INTEGRITY: "two sources disagree about bytes, or a signature or certificate does not hold",
    Exit.UNSIGNED: "valid, but unsigned or signed by an unknown key",
    Exit.BUG: "a mistake in rdna1-lock",
    Exit.INTERRUPTED: "interrupted",
}

_NO = {
    "host-not-ready": "This machine cannot run the sweep on its card; the facts name the rules.",
    "lock-out-of-date": "`resolve --check`: the lock would change; the facts say what.",
    "no-solution": "The requirements cannot be met together; the facts are the chain of reasons.",
}
_USAGE = {
    "bad-argument": "A requirement on the command line cannot be read, or names no wheel.",
    "bad-date": "`--exclude-newer` is not a date.",
    "bad-index-url": "An index is not an http or https URL.",
    "bad-name": "`--name` is not the name of a folder.",
    "bad-platform": "`--platform` is not manylinux_2_N_x86_64.",
    "bad-python-version": "`--python-version` is not a CPython version.",
    "bad-sizes": "`--sizes` are not sizes of the sweep.",
    "no-folder": "`--find-links` names no folder.",
    "no-pyproject": "`--extra` or `--group` without a pyproject.toml.",
    "no-python": "No CPython of the lock's series is on PATH.",
    "not-asked": "A command that asks first has no terminal to ask on.",
    "no-such-card": "`--gpu` names no RDNA1 card of this machine.",
    "options-clash": "Two options contradict each other.",
    "search-too-deep": "The search was given up; whether there is a solution is not known.",
    "unknown-fact": "`--allow` names no fact.",
    "unknown-format": "A file name does not say which format to write.",
    "unknown-gfx": "The stack is not for this card.",
    "unknown-recipe": "There is no recipe of this name.",
    "unknown-rule": "There is no rule or stack of this name.",
    "unknown-stack": "There is no stack of this name.",
    "usage": "The command line cannot be parsed.",
    "wrong-python": "`--python` names an interpreter that does not run, or of another series.",
}
_INPUT = {
    "bad-file": "A file of requirements, or a lock of another tool, cannot be read.",
    "bad-find-links": "`--find-links` in a file names no folder.",
    "bad-group": "A dependency group cannot be resolved.",
    "bad-hash": "A requirement has hashes that cannot be checked.",
    "bad-key": "A key does not sign.",
    "bad-lock": "A lock cannot be read, or a string in it has not its form.",
    "bad-option": "An option in a requirements file is not supported.",
    "bad-requirement": "A requirement in a file cannot be read.",
    "bad-rule-file": "A file of constraints/ has not its form.",
    "bad-suppressions": "The table of findings to ignore cannot be read.",
    "bad-text": "A name or text has bytes that are not UTF-8.",
    "bad-wheel": "A locked wheel cannot be read, or asks for what no wheel may.",
    "broken-environment": "The interpreter of an environment does not run, or installs elsewhere.",
    "build-failed": "A source distribution cannot be built into a wheel.",
    "cannot-read": "A wheel cannot be read.",
    "cannot-write": "A file or folder cannot be written; a lock is as it was, and `sync` goes on.",
    "dynamic-dependencies": "The dependencies of a project are known to its build backend alone.",
    "edited-lock": "Parts of a lock do not match their digests.",
    "extra-index": "`--extra-index-url` in a file is refused (R03).",
    "file-loop": "Requirements files include each other without end.",
    "foreign-files": "Files that rdna1-lock did not write are in the way; nothing was written.",
    "foreign-lock": "Another tool made this lock.",
    "newer-lock": "A newer rdna1-lock made this lock.",
    "nix-refused": "nix-store did not take a wheel.",
    "no-certificate": "A lock has no certificate there.",
    "no-cryptography": "DSSE needs the library cryptography.",
    "no-environment": "No environment is active.",
    "no-extra": "A project has no such extra.",
    "no-file": "A file does not exist.",
    "no-index": "pip does not say which index is its default.",
    "no-key": "A key does not exist.",
    "no-lock": "A lock does not exist.",
    "no-nix": "There is no Nix on PATH.",
    "no-numpy": "The answers to a challenge need an interpreter with numpy.",
    "no-rules": "The folder constraints/ is missing.",
    "no-signers": "The file of allowed signers cannot be read.",
    "no-space": "There is not enough free space; what has come is kept.",
    "no-ssh-keygen": "There is no ssh-keygen on PATH.",
    "no-target": "There is no such interpreter, environment or file to audit.",
    "no-venv": "A virtual environment cannot be made.",
    "no-wheels": "None of the locked wheels is on disk.",
    "not-a-folder": "A lock folder is a file.",
    "not-a-wheel": "A line of a file names something else than a wheel.",
    "not-an-environment": "A folder is not a virtual environment.",
    "not-pylock": "The Nix files read `pylock.toml`, and the lock has another name.",
    "not-signed": "ssh-keygen did not sign.",
    "other-python": "An environment is of another Python than the lock.",
    "other-version": "Another version of rdna1-lock, with another suite, made a certificate.",
    "own-wheel-missing": "A wheel that no index has is not in any folder that was named.",
    "system": "The operating system refuses: permissions, space, names.",
    "unknown-file": "`audit` does not recognise the format of a file.",
    "wheels-elsewhere": "`wheels` is a symbolic link that leads out of the folder of the lock.",
}
_NETWORK = {
    "answer-too-large": "An answer is larger than any page or metadata file.",
    "file-gone": "The index does not have a locked file any more.",
    "http-status": "A server answered with an error.",
    "not-an-index": "A page is not one of a package index.",
    "offline": "`--offline`, and the cache does not have it.",
    "too-slow": "A request was not complete within its time.",
    "unreachable": "A server cannot be reached, or breaks off.",
    "wrong-range": "A server sent another part of a file than was asked for.",
}
_INTEGRITY = {
    "bad-certificate": "A certificate has not its form.",
    "bad-envelope": "A DSSE envelope has not its form.",
    "bad-signature": "A signature does not hold.",
    "environment-differs": "An environment is not what its lock says.",
    "extraneous-files": "Files in an environment belong to no package; nothing was changed.",
    "hash-mismatch": "Two sources state different hashes for one file.",
    "other-lock": "A certificate is of another lock.",
    "other-page": "A page is not that of its report.",
    "other-report": "A report is not that of its certificate.",
    "other-suite": "A certificate was not made with the suite as published.",
    "two-certificates": "A certificate and its envelope differ.",
    "verdict-differs": "The evidence does not come to the verdict that is stated.",
    "wheel-size": "A wheel has another size than was locked.",
}

CODES: dict[str, tuple[Exit, str]] = {
    code: (status, meaning)
    for status, table in (
        (Exit.NO, _NO),
        (Exit.USAGE, _USAGE),
        (Exit.INPUT, _INPUT),
        (Exit.NETWORK, _NETWORK),
        (Exit.INTEGRITY, _INTEGRITY),
        (Exit.BUG, {"bug": "A mistake in rdna1-lock; please report it."}),
        (Exit.INTERRUPTED, {"interrupted": "The task was stopped."}),
    )
    for code, meaning in table.items()
}
