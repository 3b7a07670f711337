"""``fetch`` of one large wheel beside curl and then sha256sum, from one loopback server.

    python benchmarks/fetch.py [--megabytes 1500] [--repeat 3]

Prints seconds, the ratio, and peak memory. The file is served by sendfile from memory-backed
storage where there is some, so that the disk is not what is measured.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rdna1_lock.lock.digests import digest as data_digest

BIN = Path(sys.executable).parent
NAME = "big-1-py3-none-any.whl"
LOCK = """lock-version = "1.0"
created-by = "rdna1-lock"
{packages}
[tool.rdna1-lock]
schema = 1
digest = "{digest}"
stack = "rocm5.2"
rules = "sha256:{zeros}"
portable = false
env = {{}}
nix = {{ python = "python310", libraries = [] }}
target = {{ python = "3.10", platform = "manylinux_2_28_x86_64", gfx = [] }}
inputs = {{ requirements = [] }}
"""


def serve(path: Path) -> ThreadingHTTPServer:
    size = path.stat().st_size

    class Sender(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            """No chatter."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.flush()
            with path.open("rb") as file:
                self.connection.sendfile(file)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sender)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def timed(command: list[str]) -> tuple[float, float]:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1500)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs")
    options = parser.parse_args()
    storage = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=storage) as name:
        folder = Path(name)
        wheel, digest = folder / NAME, hashlib.sha256()
        with wheel.open("wb") as file:
            for _ in range(options.megabytes):
                block = os.urandom(1_000_000)
                digest.update(block)
                file.write(block)
        server = serve(wheel)
        url = f"http://127.0.0.1:{server.server_port}/{NAME}"
        entry = {
            "name": NAME,
            "url": url,
            "size": wheel.stat().st_size,
            "hashes": {"sha256": digest.hexdigest()},
        }
        packages = [{"name": "big", "version": "1", "wheels": [entry]}]
        text = f'[[packages]]\nname = "big"\nversion = "1"\nwheels = [{{ name = "{NAME}", url = "{url}", size = {entry["size"]}, hashes = {{ sha256 = "{digest.hexdigest()}" }} }}]\n'
        (folder / "pylock.toml").write_text(
            LOCK.format(packages=text, digest=data_digest(packages), zeros="0" * 64)
        )
        ours, theirs = [], []
        for _ in range(options.repeat):
            out = folder / "out"
            curl, _ = timed(["curl", "-s", "-o", str(out), url])
            check, _ = timed(["sha256sum", str(out)])
            out.unlink()
            theirs.append((curl + check, curl, check))
            dest = folder / "dest"
            ours.append(
                timed([str(BIN / "rdna1-lock"), "fetch", str(folder), "--dest", str(dest), "-q"])
            )
            (dest / NAME).unlink()
        server.shutdown()
        total, curl, check = min(theirs)
        seconds, peak = min(ours)[0], max(memory for _, memory in ours)
        print(
            f"{options.megabytes} MB: curl {curl:.2f} s + sha256sum {check:.2f} s = {total:.2f} s"
        )
        print(
            f"rdna1-lock fetch {seconds:.2f} s, {seconds / total:.2f} of that, peak {peak:.0f} MB"
        )


if __name__ == "__main__":
    main()
