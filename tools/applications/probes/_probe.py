"""What every probe is written with, and what starts it: ``_probe.py NAME``.

It runs on the environment's own interpreter, so it imports nothing but the standard library.
"""

import atexit
import contextlib
import json
import os
import re
import runpy
import sys
import traceback

CORE, PART = "core", "part"
_ran, _partly, _error = [], [], []


def step(what, kind=CORE):
    """Run a function now; a core step that fails ends the probe, a part is only noted."""

    def decorate(function):
        if any(where == CORE for where, _ in _error):
            return function
        try:
            with contextlib.redirect_stdout(sys.stderr):
                function()
        except BaseException as error:
            _error.append((kind, f"{type(error).__name__}: {_first_cause(error)}"))
            traceback.print_exc()
            if kind == PART:
                _partly.append(what)
        else:
            _ran.append(what)
        return function

    return decorate


def part(what):
    """A step without which the package is still of use."""
    return step(what, PART)


def artefact(name):
    """Return where a picture goes that people look at."""
    return os.path.join(os.environ.get("PROBE_ARTEFACTS", "."), name)


def _first_cause(error):
    """Return the message that began it: libraries wrap a failing import in one of their own."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = re.sub(r"\s*\(?/\S*/site-packages/(\S*?)\)?(?=\s|$)", r" (\1)", str(error))
    return " ".join(text.split())[:300]


def _tell():
    core = [text for kind, text in _error if kind == CORE]
    text = (core or [text for _, text in _error] or [None])[0]
    said = {"probe": 1, "works": not core and bool(_ran), "ran": _ran, "partly": _partly}
    sys.stdout.write("\n" + json.dumps({**said, "error": text}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # A probe is named as its package, which it must not hide.
    folder = sys.path.pop(0)
    sys.path.append(os.path.join(folder, "shared"))
    sys.modules["_probe"] = sys.modules["__main__"]
    atexit.register(_tell)
    runpy.run_path(os.path.join(folder, f"{sys.argv[1]}.py"), run_name="__main__")
