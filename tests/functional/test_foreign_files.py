"""Files that rdna1-lock did not write: refused by name, never replaced, deleted or written through."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdna1_lock.emit.formats import FORMATS
from support.replica import PINS, replica_options
from support.server import Server

FOLDER = Path("locks/rocm5.2-cp310")
NAMES = [one.filename for one in FORMATS]
USERS = {
    "requirements.txt": "torch\nnumpy\n",
    "flake.nix": "{ outputs = { self }: { }; }\n",
    "flake.lock": '{ "nodes": { "root": { } }, "root": "root", "version": 7 }\n',
    "shell.nix": "with import <nixpkgs> { }; mkShell { }\n",
    "env.nix": "{ }\n",
}


@pytest.fixture
def options(server: Server) -> list[str]:
    return replica_options(server)


def texts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("name", USERS)
def test_a_file_of_the_user_is_refused_by_name(options, run, name):
    Path(name).write_text(USERS[name])
    before = texts(Path())
    refused = run("resolve", *options, "--output-dir", ".")
    assert (refused.status, refused.code) == (3, "foreign-files"), refused.err
    assert name in refused.err
    assert "--output-dir" in refused.err
    assert texts(Path()) == before, "nothing was written, not even the other files"


def test_all_of_them_are_named_at_once(options, run):
    for name, text in USERS.items():
        Path(name).write_text(text)
    refused = run("resolve", *options, "--output-dir", ".")
    assert all(name in refused.err for name in USERS)
    assert texts(Path()) == {name: text.encode() for name, text in USERS.items()}


def test_requirements_that_were_resolved_are_not_replaced(options, run):
    Path("requirements.txt").write_text("torch\ntorchvision\n")
    for place in (["--output-dir", "."], ["-o", "requirements.txt"]):
        refused = run("resolve", "-r", "requirements.txt", *options, *place)
        assert (refused.status, refused.code) == (3, "foreign-files"), refused.err
        assert Path("requirements.txt").read_text() == "torch\ntorchvision\n"
    assert run("resolve", "-r", "requirements.txt", *options, "-o", "locked.txt").status == 0
    assert run("resolve", "-r", "requirements.txt", *options, "-U", "-o", "locked.txt").status == 0


@pytest.mark.parametrize("name", ["flake.nix", "flake.lock", "shell.nix", "env.nix"])
def test_nix_refuses_as_well(options, run, name):
    assert run("resolve", *options, "-o", "pylock.toml").status == 0
    Path(name).write_text(USERS[name])
    before = texts(Path())
    refused = run("nix", ".")
    assert (refused.status, refused.code) == (3, "foreign-files"), refused.err
    assert name in refused.err
    assert texts(Path()) == before


def test_settings_of_a_repository_start_no_program(options, run):
    """git asks ``core.fsmonitor``, a program, what has changed."""
    assert run("resolve", *options).status == 0
    Path("monitor").write_text("#!/bin/sh\ntouch executed\n")
    Path("monitor").chmod(0o755)
    for command in (["init", "-q"], ["config", "core.fsmonitor", str(Path("monitor").resolve())]):
        subprocess.run(["git", *command], check=True)
    subprocess.run(["git", "ls-files", "--others", "-z"], check=True, capture_output=True)
    monitored = Path("executed").exists()
    Path("executed").unlink(missing_ok=True)
    if not monitored:
        pytest.skip("this git does not ask here")
    assert run("nix", FOLDER).status == 0
    assert not Path("executed").exists()


@pytest.mark.parametrize("name", NAMES)
def test_an_edited_file_of_ours_is_still_ours(options, run, name):
    assert run("resolve", *options).status == 0
    right = texts(FOLDER)
    edited = FOLDER / name
    text = edited.read_text()
    edited.write_text(text.replace("ac62194c", "00000000") if name == "flake.lock" else text + "\n")
    assert edited.read_text() != text
    again = run("resolve", *options)
    assert again.status == 0, again.err
    assert texts(FOLDER) == right


def test_an_empty_file_is_nobodys(options, run):
    for name in NAMES:
        Path(name).touch()
    assert run("resolve", *options, "--output-dir", ".").status == 0
    assert all(texts(Path()).values())


@pytest.mark.parametrize("kind", ["link to a file", "broken link", "folder", "FIFO"])
def test_what_is_not_a_file_is_refused(options, run, kind):
    victim = Path("victim").resolve()
    victim.write_text("# Made by rdna1-lock from pylock.toml, says the file that is not ours\n")
    FOLDER.mkdir(parents=True)
    place = FOLDER / "requirements.txt"
    if kind == "folder":
        place.mkdir()
    elif kind == "FIFO":
        os.mkfifo(place)
    else:
        place.symlink_to(victim if kind == "link to a file" else "nowhere")
    refused = run("resolve", *options)
    assert (refused.status, refused.code) == (3, "foreign-files"), refused.err
    assert victim.read_text().startswith("# Made")
    assert not (FOLDER / "pylock.toml").exists()
    assert not (FOLDER / "nowhere").exists()


def test_only_our_own_temporary_files_are_swept(options, run):
    FOLDER.mkdir(parents=True)
    (FOLDER / "keep").write_text("mine")
    kept = {
        *(".new-idea", ".new-abc12345", ".rdna1-lock-notes.tmp.txt", ".rdna1-lock-", "notes.tmp"),
        ".rdna1-lock-ABCDEFGH.tmp",
    }
    for name in kept:
        (FOLDER / name).write_text("mine")
    stale = FOLDER / ".rdna1-lock-abcd_123.tmp"
    stale.write_text("of a killed run")
    linked, hard = FOLDER / ".rdna1-lock-aaaaaaaa.tmp", FOLDER / ".rdna1-lock-bbbbbbbb.tmp"
    linked.symlink_to("keep")
    os.link(FOLDER / "keep", hard)
    folder = FOLDER / ".rdna1-lock-cccccccc.tmp"
    folder.mkdir()
    assert run("resolve", *options).status == 0
    assert not stale.exists()
    assert linked.is_symlink()
    assert hard.exists()
    assert folder.is_dir()
    assert all((FOLDER / name).read_text() == "mine" for name in kept)


# --- wheels in a cloned repository ---


@pytest.fixture
def locked(options, run) -> Path:
    assert run("resolve", "-q", *options).status == 0
    (FOLDER / "wheels").mkdir()
    return FOLDER / "wheels"


def wheel_name(server: Server) -> str:
    [entry] = [e for e in server.indexes["pypi"].projects["idna"] if "-3.10-" in e.filename]
    return entry.filename


@pytest.mark.parametrize("kind", ["link", "hard link", "FIFO", "folder"])
def test_a_part_that_is_not_ours_is_not_written_through(locked, server, run, kind):
    victim = Path("victim").resolve()
    victim.write_text("mine")
    part = locked / f".{wheel_name(server)}.part"
    if kind == "link":
        part.symlink_to(victim)
    elif kind == "hard link":
        os.link(victim, part)
    elif kind == "FIFO":
        os.mkfifo(part)
    else:
        part.mkdir()
    refused = run("fetch", FOLDER)
    assert (refused.status, refused.code) == (3, "foreign-files"), refused.err
    assert part.name in refused.err
    assert victim.read_text() == "mine"


def test_a_copy_of_an_own_wheel_is_not_written_through_a_link(locked, server, run):
    assert run("fetch", FOLDER, "--dest", "own").status == 0
    victim = Path("victim").resolve()
    victim.write_text("mine")
    for ending in ("part", "copy"):
        (locked / f".{wheel_name(server)}.{ending}").symlink_to(victim)
    refused = run("fetch", FOLDER, "-f", "own")
    assert (refused.status, refused.code) == (3, "foreign-files"), refused.err
    assert victim.read_text() == "mine"


def test_a_wheel_that_is_a_link_is_replaced_and_its_target_stays(locked, server, run):
    victim = Path("victim").resolve()
    victim.write_text("mine")
    name = wheel_name(server)
    (locked / name).symlink_to(victim)
    assert run("fetch", FOLDER).status == 0
    assert victim.read_text() == "mine"
    assert not (locked / name).is_symlink()


def test_a_wheel_that_is_a_fifo_does_not_block(locked, server, run):
    os.mkfifo(locked / wheel_name(server))
    assert run("fetch", FOLDER).status == 0
    assert len(list(locked.glob("*.whl"))) == len(PINS)


def test_a_folder_of_wheels_that_leads_out_of_the_lock(locked, run):
    locked.rmdir()
    Path("elsewhere").mkdir()
    locked.symlink_to(Path("elsewhere").resolve())
    for command in (["fetch", FOLDER], ["sync", FOLDER, "--venv", "env"]):
        refused = run(*command)
        assert (refused.status, refused.code) == (3, "wheels-elsewhere"), refused.err
    assert not list(Path("elsewhere").iterdir())
    assert not Path("env").exists()
    assert run("fetch", FOLDER, "--dest", "elsewhere").status == 0
    # Within the folder of the lock it is as good as a folder.
    locked.unlink()
    (FOLDER / "kept").mkdir()
    locked.symlink_to("kept")
    assert run("fetch", FOLDER, "-f", "elsewhere").status == 0


# --- a full disk ---


@pytest.fixture
def small() -> Iterator[Path]:
    """A file system of 128 KB."""
    place = Path("small").resolve()
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "none", place]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount a file system here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_on_a_full_disk_the_old_lock_stays_whole(options, run, small):
    place = ["--output-dir", small / "lock"]
    assert run("resolve", "torch", *options, *place).status == 0
    before = texts(small / "lock")
    with (small / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
    refused = run("resolve", "torch", "torchvision", "-U", *options, *place)
    assert (refused.status, refused.code) == (3, "cannot-write"), refused.err
    assert texts(small / "lock") == before
    (small / "filler").unlink()
    assert run("resolve", "torch", "torchvision", "-U", *options, *place).status == 0
    assert texts(small / "lock") != before
