"""The default lock beside uv and pip: one loopback copy of both indexes, one run.

    python benchmarks/resolve.py [--latency 0.05] [--repeat 3] [--plain]

The pages have as many files as the real ones (numpy 4,000, pillow 3,500, charset-normalizer
2,400). Prints seconds, ratios to uv, peak memory, requests, bytes, and how many requests were
under way at once. ``--plain`` serves pages without compression and wheels without metadata files.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.replica import PINS, build_replica
from support.server import Entry, Server

BIN = Path(sys.executable).parent
FILLER = {
    "numpy": 4000,
    "pillow": 3500,
    "charset-normalizer": 2400,
    "urllib3": 300,
    "requests": 200,
}
TAGS = ("cp39-cp39-win_amd64", "cp312-cp312-macosx_11_0_arm64", "cp313-cp313-musllinux_1_2_aarch64")


@dataclass(frozen=True)
class Measured:
    seconds: float
    peak: float
    requests: int
    received: int
    at_once: int
    right: bool


def fill(server: Server) -> None:
    for name, count in FILLER.items():
        for number in range(count):
            version = f"0.{number // 30}.{number % 30}"
            filename = f"{name.replace('-', '_')}-{version}-{TAGS[number % 3]}.whl"
            digest = hashlib.sha256(filename.encode()).hexdigest()
            url = f"/pypi/files/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}"
            server.indexes["pypi"].projects[name].append(
                Entry(
                    filename,
                    b"",
                    requires_python=">=3.9",
                    upload_time="2024-01-01T00:00:00.000000Z",
                    stated={"url": url, "sha256": digest},
                )
            )


def measure(server: Server, command: list[str], folder: Path, output: Path | None) -> Measured:
    server.forget()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    env = {
        **clean,
        "PIP_CONFIG_FILE": os.devnull,
        "UV_PYTHON_DOWNLOADS": "never",
        "HOME": str(folder),
        "RDNA1_LOCK_CACHE_DIR": str(folder / "ours"),
    }
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    text = output.read_text().replace("%2B", "+") if output and output.exists() else ""
    right = (
        process.returncode == 0
        and all(version in text for version in PINS.values())
        and "99.0" not in text
    )
    if process.stderr:
        process.stderr.close()
    return Measured(
        seconds, usage.ru_maxrss / 1024, len(server.log), server.sent, server.most_inflight, right
    )


def commands(
    default: str, rocm: str, folder: Path
) -> dict[str, tuple[list[str], Path | None, Path]]:
    """Return name → (command, what it writes, its cache)."""
    requirements = folder / "in.txt"
    requirements.write_text("torch==1.13.1+rocm5.2\ntorchvision==0.14.1+rocm5.2\nnumpy<2\n")
    out = folder / "out"
    out.mkdir()
    indexes = ["--index-url", default, "--extra-index-url", rocm]
    ours = [
        str(BIN / "rdna1-lock"),
        "resolve",
        "--index-url",
        default,
        "--output-dir",
        str(out / "ours"),
        "--upgrade",
    ]
    uv = [
        str(BIN / "uv"),
        "pip",
        "compile",
        "--generate-hashes",
        "--no-header",
        "--python",
        sys.executable,
        "--python-version",
        "3.10",
        "--python-platform",
        "x86_64-manylinux_2_28",
        "--only-binary",
        ":all:",
        "--index-strategy",
        "unsafe-best-match",
        *indexes,
        str(requirements),
        "-o",
        str(out / "uv.txt"),
    ]
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--python-version",
        "310",
        "--implementation",
        "cp",
        "--abi",
        "cp310",
        "--abi",
        "none",
        "--platform",
        "manylinux_2_28_x86_64",
        "--platform",
        "manylinux_2_27_x86_64",
        "--platform",
        "manylinux2014_x86_64",
        "--platform",
        "linux_x86_64",
        "--only-binary",
        ":all:",
        "--target",
        str(out / "t"),
        *indexes,
        "-r",
        str(requirements),
        "--report",
        str(out / "pip.json"),
        "--cache-dir",
        str(folder / "pip"),
    ]
    return {
        "uv pip compile": (uv, out / "uv.txt", folder / ".cache" / "uv"),
        "rdna1-lock (catalogue)": (ours, out / "ours" / "requirements.txt", folder / "ours"),
        "rdna1-lock (live index)": (
            [*ours, "--no-catalogue", "--rocm-index-url", rocm],
            out / "ours" / "requirements.txt",
            folder / "ours",
        ),
        "pip install --dry-run": (pip, out / "pip.json", folder / "pip"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer waits")
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs")
    parser.add_argument("--plain", action="store_true", help="no compression, no metadata files")
    options = parser.parse_args()
    server = Server()
    style = {
        "latency": options.latency,
        "compress": not options.plain,
        "metadata_files": not options.plain,
    }
    default, rocm = build_replica(server, **style)
    server.indexes["rocm"].style.latency = options.latency
    fill(server)
    for index in server.indexes.values():
        index.style.frozen = True
        for project in index.projects:
            index.rendered(project, as_json=index.style.kind == "json")
            index.rendered(project, as_json=False)
    print(
        f"{'':26} {'cold s':>7} {'x uv':>6} {'warm s':>7} {'x uv':>6} {'MB peak':>8} {'requests':>8} {'MB sent':>8} {'at once':>7}  right"
    )
    base: tuple[float, float] | None = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, (command, output, cache) in commands(default, rocm, folder).items():
            cold, warm = [], []
            for _ in range(options.repeat):
                shutil.rmtree(cache, ignore_errors=True)
                cold.append(measure(server, command, folder, output))
                warm.append(measure(server, command, folder, output))
            first, again = min(cold, key=lambda m: m.seconds), min(warm, key=lambda m: m.seconds)
            base = base or (first.seconds, again.seconds)
            print(
                f"{label:26} {first.seconds:7.2f} {first.seconds / base[0]:6.1f} {again.seconds:7.2f} {again.seconds / base[1]:6.1f}"
                f" {first.peak:8.0f} {first.requests:8} {first.received / 1e6:8.2f} {first.at_once:7}  {'yes' if first.right else 'NO'}"
            )
        check = [
            str(BIN / "rdna1-lock"),
            "resolve",
            "--index-url",
            default,
            "--output-dir",
            str(folder / "out" / "ours"),
            "--check",
        ]
        measure(server, [*check[:-1], "--upgrade"], folder, None)
        start = min(
            measure(server, [sys.executable, "-c", "pass"], folder, None).seconds for _ in range(5)
        )
        same = min(measure(server, check, folder, None).seconds for _ in range(5))
        version = min(
            measure(server, [str(BIN / "rdna1-lock"), "--version"], folder, None).seconds
            for _ in range(5)
        )
        print(
            f"\npython -c pass {start * 1000:.0f} ms; rdna1-lock --version {version * 1000:.0f} ms; resolve --check on an unchanged lock {same * 1000:.0f} ms"
        )
    server.close()


if __name__ == "__main__":
    main()
