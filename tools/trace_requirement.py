"""Follow `torch==1.13.1+rocm5.2` from the command line to pylock.toml: `make trace`.

Every call within the package is watched during one real run (offline, from the catalogue). A call
counts where an argument is one of the forms that the requirement takes on its way. Printed are the
modules in the order in which they first hold such a value (those that define the values left out), and the calls that lead up again, from a
lower layer to a higher one. Exit status 1 beyond ten modules, or for a single way up.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.pylock import Package
from packaging.requirements import Requirement as Parsed

from rdna1_lock.cli.main import main as command
from rdna1_lock.lock.model import Lock
from rdna1_lock.model import Wheel
from rdna1_lock.resolution.model import Candidate, Pin, Requirement, UserRequirement

if TYPE_CHECKING:
    from types import FrameType

TEXT = "torch==1.13.1+rocm5.2"
MOST_MODULES = 10
MOST_FORMS = 6
# The forms, listed by hand; Candidate is a Wheel with its name, Pin a Wheel with its hash.
FORMS: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "PEP 508 requirement": (Parsed, UserRequirement),
    "demand of the search": Requirement,
    "wheel (candidate)": (Wheel, Candidate),
    "pin": Pin,
    "package of the lock": (Package, Lock),
}
LAYERS = ("cli", "tasks", "emit", "lock", "resolution", "requirements", "index", "rules")


def form_of(value: Any) -> str | None:
    """Return which form of the requirement a value is."""
    if isinstance(value, str):
        return "text" if value == TEXT else None
    for name, kinds in FORMS.items():
        if name != "text" and isinstance(value, kinds):
            project = getattr(value, "project", None) or getattr(value, "name", None)
            parsed = getattr(value, "parsed", None) or getattr(value, "wheel", None)
            names = {str(project), str(getattr(parsed, "name", ""))}
            return name if "torch" in names or isinstance(value, Lock) else None
    return None


class Walk:
    """What was seen: modules by first touch, with forms; and calls from a lower to a higher layer."""

    def __init__(self) -> None:
        self.modules: dict[str, list[str]] = {}
        self.ups: set[str] = set()

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        module = frame.f_globals.get("__name__", "")
        if event != "call" or not module.startswith("rdna1_lock."):
            return
        code = frame.f_code
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            form = form_of(frame.f_locals.get(name))
            # Making a value, or asking one for what it holds, is not a step.
            if form is None or name == "self" or module.endswith((".model", ".pep508")):
                continue
            forms = self.modules.setdefault(module, [])
            if form not in forms:
                forms.append(form)
            caller = frame.f_back
            origin = caller.f_globals.get("__name__", "") if caller is not None else ""
            if layer(origin) > layer(module) >= 0:
                self.ups.add(f"{origin} calls {module}.{code.co_name}")


def layer(module: str) -> int:
    """Return the layer of a module of ours; higher numbers lie lower."""
    parts = module.split(".")
    return LAYERS.index(parts[1]) if len(parts) > 1 and parts[1] in LAYERS else -1


def main() -> int:
    walk = Walk()
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["resolve", TEXT, "--output", f"{folder}/pylock.toml", "--quiet"]
        sys.setprofile(walk)
        try:
            status = command(arguments)
        finally:
            sys.setprofile(None)
        made = (Path(folder) / "pylock.toml").exists()
    if status or not made:
        print(f"resolve ended with {status}")
        return 1
    for number, (module, forms) in enumerate(walk.modules.items(), 1):
        print(f"{number:3}. {module.removeprefix('rdna1_lock.'):34} {', '.join(forms)}")
    for up in sorted(walk.ups):
        print(f"up:  {up}")
    taken = {form for found in walk.modules.values() for form in found}
    print(f"{len(walk.modules)} modules, {len(taken)} forms, {len(walk.ups)} ways up")
    good = len(walk.modules) <= MOST_MODULES and len(taken) <= MOST_FORMS and not walk.ups
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
