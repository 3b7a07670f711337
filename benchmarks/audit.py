"""``audit`` beside ``pip check`` and ``uv pip check``, on one environment of many packages.

    python benchmarks/audit.py [--packages 300] [--repeat 5]

Each package needs two others and has twenty files. Prints the best seconds of each, and ratios to
``pip check`` run by a pip inside the environment, as people run it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.environments import RIGHT, make_environment
from support.interpreters import find_python
from support.wheels import Spec

BIN = Path(sys.executable).parent


def packages(count: int) -> list[Spec]:
    made = []
    for number in range(count):
        needs = tuple(f"p{(number + step) % count}>=1" for step in (1, 7))
        files = {f"p{number}/m{part}.py": f"x = {part}\n" for part in range(20)}
        made.append(Spec(f"p{number}", "1.0", needs, modules=files))
    return made


def best(command: list[str | Path], repeat: int) -> float:
    times = []
    env = {**os.environ, "HSA_OVERRIDE_GFX_VERSION": "10.3.0"}
    for _ in range(repeat):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=env)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    python = find_python("3.10")
    if python is None:
        sys.exit("no CPython 3.10 on this machine")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "env"
        make_environment(place, [*RIGHT, *packages(options.packages)], python)
        own = place / "bin" / "python"
        subprocess.run([own, "-m", "ensurepip", "--upgrade"], check=True, capture_output=True)
        commands: dict[str, list[str | Path]] = {
            "pip check": [own, "-m", "pip", "--disable-pip-version-check", "check"],
            "uv pip check": [BIN / "uv", "pip", "check", "--python", own],
            "rdna1-lock audit": [BIN / "rdna1-lock", "audit", place],
            "rdna1-lock audit --files": [BIN / "rdna1-lock", "audit", place, "--files"],
        }
        times = {name: best(command, options.repeat) for name, command in commands.items()}
    print(f"{options.packages + len(RIGHT)} packages, best of {options.repeat}")
    for name, seconds in times.items():
        print(f"{name:26} {seconds:6.2f} s  {seconds / times['pip check']:5.2f} x pip check")


if __name__ == "__main__":
    main()
