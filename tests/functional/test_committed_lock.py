"""The default lock in the repository is what ``resolve`` makes from its inputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from rdna1_lock import toml
from rdna1_lock.emit.formats import FORMATS
from rdna1_lock.lock.read import read_lock
from support.server import Server
from support.wheels import Spec

COMMITTED = Path(__file__).parents[2] / "locks" / "rocm5.2-cp310"


def test_it_is_up_to_date_without_any_request(server: Server, run):
    shutil.copytree(COMMITTED, "locks/rocm5.2-cp310")
    result = run("resolve", "--check", "--index-url", server.url("nobody"))
    assert result.status == 0, result.err
    assert server.log == []


def test_its_files_are_what_the_emitters_write():
    lock = read_lock(COMMITTED / "pylock.toml")
    assert not lock.edited
    for name, emit in ((one.filename, one.emit) for one in FORMATS):
        assert (COMMITTED / name).read_text() == emit(lock)


def test_it_holds_the_stack_and_names_no_host_of_the_default_index():
    data = toml.loads((COMMITTED / "pylock.toml").read_text())
    Pylock.from_dict(data).validate()
    wheels = {p["name"]: p["wheels"][0] for p in data["packages"]}
    versions = {p["name"]: p["version"] for p in data["packages"]}
    assert wheels["torch"]["hashes"]["sha256"].startswith("f3685d08")
    assert wheels["torchvision"]["hashes"]["sha256"].startswith("a01606fc")
    assert versions["numpy"] == "1.26.4"
    assert {"pillow", "requests", "typing-extensions"} <= set(versions)
    for name, wheel in wheels.items():
        assert ("url" in wheel) == name.startswith("torch")


def test_a_full_search_over_its_own_wheels_gives_it_again(server: Server, run):
    """Serve stand-ins with the locked names and hashes; the search must come to the same pins."""
    data = toml.loads((COMMITTED / "pylock.toml").read_text())
    index = server.index("pypi", kind="json", metadata_files=True)
    for package in data["packages"]:
        [wheel] = package["wheels"]
        if package["name"].startswith("torch"):
            continue
        needs = tuple(item["name"] for item in package.get("dependencies", ()))
        tag = "-".join(wheel["name"].removesuffix(".whl").split("-")[-3:])
        spec = Spec(
            package["name"],
            package["version"],
            needs,
            requires_python=package.get("requires-python"),
            tag=tag,
        )
        index.add(
            spec,
            stated={
                "filename": wheel["name"],
                "sha256": wheel["hashes"]["sha256"],
                "size": wheel["size"],
            },
        )
    result = run("resolve", "--portable", "--index-url", server.url("pypi"))
    assert result.status == 0, result.err
    made = Path("locks/rocm5.2-cp310")
    for name in (one.filename for one in FORMATS):
        assert (made / name).read_text() == (COMMITTED / name).read_text()


def test_the_lock_of_the_tool_itself_is_up_to_date(server: Server, run):
    """Nix builds the tool from it, so it must follow the dependencies in pyproject.toml."""
    root = COMMITTED.parents[1]
    shutil.copytree(root / "locks" / "rdna1-lock-cp310", "locks/rdna1-lock-cp310")
    shutil.copyfile(root / "pyproject.toml", "pyproject.toml")
    where = ["--output-dir", "locks/rdna1-lock-cp310", "--index-url", server.url("nobody")]
    asked = ["-r", "pyproject.toml", "--group", "backend"]
    result = run("resolve", "--check", *asked, *where)
    assert result.status == 0, f"`make own-lock` makes it anew\n{result.err}"
    assert server.log == []


@pytest.mark.network
def test_the_live_index_still_has_all_of_it(run):
    """With its pins preferred, a full search on the real index gives the committed bytes."""
    shutil.copytree(COMMITTED, "locks/rocm5.2-cp310")
    path = Path("locks/rocm5.2-cp310/requirements.txt")
    path.write_text(path.read_text() + "# so that the search really runs\n")
    result = run("resolve", "--portable")
    assert result.status == 0, result.err
    assert "requests," in result.err
    for name in (one.filename for one in FORMATS):
        assert (path.parent / name).read_text() == (COMMITTED / name).read_text()
