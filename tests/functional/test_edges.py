"""The exact edge of a rule, where a small slip would pass unnoticed everywhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rdna1_lock import toml
from rdna1_lock.rules import load_catalogue
from support.replica import build_replica
from support.server import Server
from support.wheels import Spec, make_wheel


def locked_name(run, *arguments: object) -> str:
    result = run("resolve", *arguments, "-o", "pylock.toml")
    assert result.status == 0, result.err
    [package] = toml.loads(Path("pylock.toml").read_text())["packages"]
    [wheel] = package["wheels"]
    name: str = wheel["url"].rpartition("/")[2]
    return name


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("builds", "chosen"),
    [
        ((None, "1"), "1"),
        (("2", "10"), "10"),
        (("1a", "1b"), "1b"),
        (("1", "1a"), "1a"),
        (("9z", "10"), "10"),
    ],
)
def test_build_tags_break_ties(server: Server, run, builds, chosen, reverse):
    """PEP 427: "an empty tuple if unspecified, else a two-item tuple"; the greater one wins."""
    index = server.index("pypi")
    for build in reversed(builds) if reverse else builds:
        index.add(Spec("a", "1.0", build=build))
    name = locked_name(run, "a", "--index-url", server.url("pypi"))
    assert name == f"a-1.0-{chosen}-py3-none-any.whl"


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_wheels_of_one_version_the_yanked_one_stays_out(server: Server, run, reverse):
    index = server.index("pypi")
    best = Spec("a", "1.0", tag="cp310-cp310-manylinux_2_17_x86_64")
    wheels = [(best, "broken"), (Spec("a", "1.0"), False)]
    for spec, yanked in reversed(wheels) if reverse else wheels:
        index.add(spec, yanked=yanked)
    name = locked_name(run, "a", "--index-url", server.url("pypi"))
    assert name == "a-1.0-py3-none-any.whl"


def test_the_catalogue_states_the_hash_that_a_live_page_lacks(server: Server, run):
    default, rocm = build_replica(server)
    server.indexes["rocm"].style.hashes = False
    result = run("resolve", "--live", "--index-url", default, "--rocm-index-url", rocm)
    assert result.status == 0, result.err
    lock = toml.loads(Path("locks/rocm5.2-cp310/pylock.toml").read_text())
    [torch] = [p["wheels"][0] for p in lock["packages"] if p["name"] == "torch"]
    [known] = [
        wheel
        for wheel in load_catalogue()
        if wheel.filename == "torch-1.13.1+rocm5.2-cp310-cp310-linux_x86_64.whl"
    ]
    assert torch["hashes"]["sha256"] == known.sha256
    # The stand-in has other bytes; that nobody read them shows whose word was taken.
    assert not [path for path in server.paths(".whl") if "torch-" in path]


def test_a_stream_that_goes_on_after_the_locked_size_is_left(server: Server, run):
    """A server that sends for ever must not fill the disk."""
    wheel = make_wheel(Spec("a", "1.0"))
    server.index("pypi").add_wheel("a", wheel)
    assert (
        run("resolve", "a", "--index-url", server.url("pypi"), "--output-dir", "lock").status == 0
    )
    sent = 0

    def endless(handler) -> bool:
        nonlocal sent
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            while sent < 64 * 2**20:
                handler.wfile.write(b"x" * 65536)
                sent += 65536
        except OSError:
            pass
        handler.close_connection = True
        return True

    server.faults[f"/pypi/files/{wheel.filename}"] = endless
    result = run("fetch", "lock")
    assert (result.status, result.code) == (5, "hash-mismatch"), result.err
    assert sent < 32 * 2**20
    assert hashlib.sha256(wheel.content).hexdigest() in result.err
    assert not list(Path("lock/wheels").glob("*.whl"))
