"""``resolve`` from the outside: folder, options, exit statuses, and what is left after a failure."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from packaging.pylock import Pylock
from packaging.tags import Tag

from rdna1_lock import toml
from rdna1_lock.emit.formats import FORMATS
from rdna1_lock.model import Target
from rdna1_lock.rules import load_catalogue
from support.replica import PINS, build_replica, replica_options
from support.server import Entry, Server
from support.wheels import Spec, make_wheel

FOLDER = Path("locks/rocm5.2-cp310")


def versions(path: Path) -> dict[str, str]:
    return {p["name"]: p["version"] for p in toml.loads(path.read_text())["packages"]}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def default_only(server: Server) -> list[str]:
    """The default index alone: the catalogue has to do for the torch family."""
    url, _ = build_replica(server)
    del server.indexes["rocm"]
    return ["--index-url", url, "--rocm-index-url", f"{server.base}/nowhere/simple"]


def test_the_default_lock_needs_no_contact_with_the_rocm_index(server, run, default_only):
    result = run("resolve", *default_only)
    assert result.status == 0, result.err
    assert versions(FOLDER / "pylock.toml") == PINS
    assert not [path for path in server.paths() if "nowhere" in path]
    known = {wheel.filename: wheel for wheel in load_catalogue()}
    for package in toml.loads((FOLDER / "pylock.toml").read_text())["packages"]:
        [wheel] = package["wheels"]
        if package["name"].startswith("torch"):
            assert wheel["hashes"]["sha256"] == known[wheel["name"]].sha256
            assert wheel["url"] == known[wheel["name"]].url
            assert "size" not in wheel
    assert {path.name for path in FOLDER.iterdir()} == {one.filename for one in FORMATS}


def test_torch_9_on_the_default_index_is_never_even_asked_for(server, run, default_only):
    assert run("resolve", *default_only).status == 0
    assert not [path for path in server.paths() if "/torch" in path]


def test_packaging_validates_and_selects_the_lock(server, run):
    assert run("resolve", *replica_options(server)).status == 0
    pylock = Pylock.from_dict(toml.loads((FOLDER / "pylock.toml").read_text()))
    pylock.validate()
    target = Target.parse("3.10", "manylinux_2_35_x86_64")
    tags = [Tag(*text.split("-")) for text in target.tag_ranks]
    chosen = list(pylock.select(environment=target.marker_environment, tags=tags))
    assert {str(package.name): str(package.version) for package, _ in chosen} == PINS
    assert {package.name for package, _ in chosen} == set(PINS)


def test_the_lock_holds_no_date_no_path_and_what_nix_needs(server, run, tmp_path):
    assert run("resolve", *replica_options(server)).status == 0
    text = (FOLDER / "pylock.toml").read_text()
    assert str(tmp_path) not in text
    data = toml.loads(text)
    flat = json.dumps(data)  # dates are no JSON
    assert "upload" not in flat
    table = data["tool"]["rdna1-lock"]
    assert table["env"]["HSA_OVERRIDE_GFX_VERSION"] == "10.3.0"
    assert table["nix"] == {
        "python": "python310",
        "libraries": ["stdenv.cc.cc", "zlib", "zstd"],
        "glibc-below": "2.41",
    }
    assert table["target"] == {
        "python": "3.10",
        "platform": "manylinux_2_28_x86_64",
        "glibc": "2.28",
        "gfx": ["gfx1010", "gfx1011", "gfx1012"],
    }


def test_requirements_name_rocm_wheels_by_url(server, run):
    assert run("resolve", *replica_options(server)).status == 0
    text = (FOLDER / "requirements.txt").read_text()
    assert (
        f"torch @ {server.base}/rocm/files/torch-1.13.1%2Brocm5.2-cp310-cp310-linux_x86_64.whl \\"
        in text
    )
    assert "index-url" not in text
    assert text.count("--hash=sha256:") == len(PINS)
    assert "    # via\n    #   torch\n    #   torchvision\n" in text


def test_again_changes_nothing(server, run):
    options = replica_options(server)
    assert run("resolve", *options).status == 0
    before = snapshot(FOLDER)
    server.forget()
    for more in ([], ["--check"]):
        result = run("resolve", *options, *more)
        assert result.status == 0, result.err
        assert snapshot(FOLDER) == before


def test_an_unchanged_lock_is_checked_without_any_request(server, run, default_only):
    assert run("resolve", *default_only).status == 0
    server.forget()
    assert run("resolve", "--check", *default_only).status == 0
    result = run("resolve", *default_only)
    assert "up to date" in result.err
    assert server.log == []


def test_check_says_what_would_change_and_writes_nothing(server, run, default_only):
    assert run("resolve", *default_only, "numpy<1.26.4", "torch").status == 1  # nothing there yet
    assert not FOLDER.exists()
    assert run("resolve", *default_only).status == 0
    before = snapshot(FOLDER)
    result = run("resolve", "--check", *default_only, "torch", "idna<3.10")
    assert result.status == 1
    assert result.code == "lock-out-of-date"
    assert "+ idna 3.9" in result.err or "~ idna 3.10 -> 3.9" in result.err
    assert "- requests" in result.err
    assert snapshot(FOLDER) == before


@pytest.mark.parametrize("name", ["pylock.toml", "requirements.txt"])
def test_check_notices_an_edited_file(server, run, default_only, name):
    assert run("resolve", *default_only).status == 0
    path = FOLDER / name
    path.write_text(path.read_text().replace("3.10", "3.9", 1) + "# edited\n")
    assert run("resolve", "--check", *default_only).status == 1


def test_an_edited_hash_is_an_alarm(server, run, default_only):
    assert run("resolve", *default_only).status == 0
    path = FOLDER / "pylock.toml"
    digest = next(
        p["wheels"][0]["hashes"]["sha256"]
        for p in toml.loads(path.read_text())["packages"]
        if p["name"] == "idna"
    )
    path.write_text(path.read_text().replace(digest, "0" * 64))
    before = snapshot(FOLDER)
    result = run("resolve", *default_only)
    assert (result.status, result.code) == (5, "hash-mismatch")
    assert "0" * 64 in result.err
    assert digest in result.err
    assert snapshot(FOLDER) == before


def test_replaced_bytes_under_one_name_are_an_alarm(server, run):
    options = replica_options(server)
    assert run("resolve", *options).status == 0
    entry = next(
        e for e in server.indexes["rocm"].projects["torch"] if "1.13.1+rocm5.2-cp310" in e.filename
    )
    entry.content += b"replaced"
    before = snapshot(FOLDER)
    # An unchanged lock is not held against the index; whatever makes the search run is.
    assert run("resolve", *options).status == 0
    result = run("resolve", *options, "--upgrade-package", "idna")
    assert (result.status, result.code) == (5, "hash-mismatch")
    assert snapshot(FOLDER) == before


def test_portable_locks_name_no_host(server, run, default_only):
    result = run("resolve", "--portable", *default_only)
    assert result.status == 0, result.err
    for path in FOLDER.iterdir():
        assert "127.0.0.1" not in path.read_text()
    data = toml.loads((FOLDER / "pylock.toml").read_text())
    wheels = {p["name"]: p["wheels"][0] for p in data["packages"]}
    assert wheels["numpy"]["path"] == f"wheels/{wheels['numpy']['name']}"
    assert wheels["torch"]["url"].startswith("https://download.pytorch.org/whl/rocm5.2/")
    Pylock.from_dict(data).validate()
    # It stays portable unless told.
    server.forget()
    assert run("resolve", *default_only).status == 0
    assert server.log == []
    assert run("resolve", "--no-portable", *default_only).status == 0
    assert "127.0.0.1" in (FOLDER / "pylock.toml").read_text()


def test_output_of_one_file(server, run):
    options = [*replica_options(server), "idna"]
    assert run("resolve", *options, "-o", "pylock.dev.toml").status == 0
    assert run("resolve", *options, "-o", "req.txt").status == 0
    result = run("resolve", *options, "-o", "-")
    assert result.status == 0
    assert result.out == Path("pylock.dev.toml").read_text()
    assert Path("req.txt").read_text().splitlines()[-3:] == [
        "idna==3.10 \\",
        f"    --hash=sha256:{digest_of(server, 'idna', '3.10')}",
        "    # via command line",
    ]
    assert not Path("locks").exists()
    # Pins of a requirements.txt are kept as well.
    server.indexes["pypi"].add(Spec("idna", "3.11"))
    assert run("resolve", *options, "-o", "req.txt").status == 0
    assert "idna==3.10" in Path("req.txt").read_text()
    assert run("resolve", *options, "-o", "req.txt", "-U").status == 0
    assert "idna==3.11" in Path("req.txt").read_text()


def digest_of(server: Server, project: str, version: str) -> str:
    [content] = [
        e.content for e in server.indexes["pypi"].projects[project] if f"-{version}-" in e.filename
    ]
    return hashlib.sha256(content).hexdigest()


def test_an_empty_output_file_is_no_lock_yet(server, run):
    Path("pylock.toml").touch()
    assert run("resolve", *replica_options(server), "idna", "-o", "pylock.toml").status == 0


def test_json(server, run):
    options = replica_options(server)
    result = run("resolve", "--json", *options)
    data = json.loads(result.out)
    assert (data["schema"], data["command"], data["status"]) == (1, "resolve", "written")
    assert {p["name"]: p["version"] for p in data["packages"]} == PINS
    assert data["env"]["HSA_OVERRIDE_GFX_VERSION"] == "10.3.0"
    assert data["requests"] == len(server.log)
    failed = run("resolve", "--json", *options, "torch", "numpy>=2")
    error = json.loads(failed.out)
    assert (error["exit-status"], error["error"]["code"]) == (1, "no-solution")
    assert any("R05" in fact for fact in error["error"]["facts"])


def test_offline_works_from_the_cache_and_says_when_it_cannot(server, run):
    options = replica_options(server)
    refused = run("resolve", "--offline", *options)
    assert (refused.status, refused.code) == (4, "offline")
    assert server.log == []
    assert run("resolve", *options).status == 0
    before = snapshot(FOLDER)
    server.forget()
    assert run("resolve", "--offline", "-U", *options).status == 0
    assert snapshot(FOLDER) == before
    assert server.log == []


def test_pages_are_revalidated(server, run):
    options = replica_options(server)
    assert run("resolve", *options).status == 0
    sent = server.sent
    server.forget()
    assert run("resolve", "-U", *options).status == 0
    assert server.sent == 0 < sent
    assert not server.paths(".metadata")


def test_a_corrupted_cache_is_noticed_and_replaced(server, run, tmp_path):
    options = replica_options(server)
    assert run("resolve", *options).status == 0
    before = snapshot(FOLDER)
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-3] + b"???")
    assert run("resolve", "-U", *options).status == 0
    assert snapshot(FOLDER) == before


def test_a_cache_that_cannot_be_written_is_no_error(server, run, monkeypatch):
    monkeypatch.setenv("RDNA1_LOCK_CACHE_DIR", "/dev/null/nowhere")
    assert run("resolve", *replica_options(server)).status == 0


def test_live_index_and_catalogue_must_agree(server, run):
    default, rocm = build_replica(server)
    result = run("resolve", "--live", "--index-url", default, "--rocm-index-url", rocm)
    assert (result.status, result.code) == (5, "hash-mismatch")
    assert "f3685d08ac0d8c951cc367f9bd4b2c924c5d4517669c476807748abcd966136f" in result.err
    assert "gbtb/nix-stable-diffusion" in result.err
    assert "127.0.0.1" in result.err
    assert not FOLDER.exists()


def test_a_rocm_page_that_contradicts_itself_is_an_alarm(server, run):
    options = replica_options(server)
    files = server.indexes["rocm"].projects["torch"]
    [torch] = [e for e in files if e.filename.startswith("torch-1.13.1+rocm5.2-cp310")]
    files.append(Entry(torch.filename, torch.content + b"x"))
    result = run("resolve", *options)
    assert (result.status, result.code) == (5, "hash-mismatch"), result.err


def test_what_the_catalogue_cannot_answer_is_asked_of_the_live_index(server, run):
    default, rocm = build_replica(server)
    result = run("resolve", "torchaudio==0.13.1", "--index-url", default, "--rocm-index-url", rocm)
    assert result.status == 0, result.err
    found = versions(FOLDER / "pylock.toml")
    assert found["torchaudio"] == "0.13.1+rocm5.2"
    assert found["torch"] == "1.13.1+rocm5.2"
    assert server.paths("/rocm/simple/torchaudio/")
    assert not server.paths("/rocm/simple/torch/")


def test_a_dead_rocm_index_is_told_with_what_the_catalogue_knows(server, run, default_only):
    server.indexes.clear()
    result = run(
        "resolve",
        "torchaudio",
        "--index-url",
        "http://127.0.0.1:9/simple",
        "--rocm-index-url",
        "http://127.0.0.1:9/rocm",
    )
    assert (result.status, result.code) == (4, "unreachable")
    assert "connection refused" in result.err
    assert "--find-links" in result.err


def test_find_links(server, run):
    own = Path("own")
    own.mkdir()
    wheel = make_wheel(
        Spec("torchaudio", "0.13.1+rocm5.2", ("torch==1.13.1",), tag="cp310-cp310-linux_x86_64")
    )
    (own / wheel.filename).write_bytes(wheel.content)
    options = replica_options(server)
    result = run("resolve", "torchaudio", "--find-links", own, *options)
    assert result.status == 0, result.err
    locked = {p["name"]: p for p in toml.loads((FOLDER / "pylock.toml").read_text())["packages"]}
    assert locked["torchaudio"]["wheels"][0]["path"] == f"wheels/{wheel.filename}"
    assert locked["torchaudio"]["wheels"][0]["hashes"]["sha256"] == wheel.sha256
    assert "--find-links wheels" in (FOLDER / "requirements.txt").read_text()
    assert f"no index has {wheel.filename}: copy it into the folder" in result.err


def test_a_wheel_of_ones_own_under_a_catalogued_name_is_an_alarm(server, run, default_only):
    own = Path("own")
    own.mkdir()
    wheel = make_wheel(Spec("torch", "1.13.1+rocm5.2", tag="cp310-cp310-linux_x86_64"))
    (own / wheel.filename).write_bytes(wheel.content)
    result = run("resolve", "--find-links", own, *default_only)
    assert (result.status, result.code) == (5, "hash-mismatch")
    assert wheel.sha256 in result.err


@pytest.mark.parametrize(
    ("filename", "reason", "rule"),
    [
        ("torch-1.13.1+cu117-cp310-cp310-linux_x86_64.whl", "is not a ROCm build (cu117)", "R03"),
        ("torch-1.13.1+rocm5.1.1-cp310-cp310-linux_x86_64.whl", "ROCm 5.1.1", "R02"),
        ("torch-1.13.1+rocm5.2-cp39-cp39-linux_x86_64.whl", "is for cp39-cp39", None),
    ],
)
def test_a_refused_torch_wheel_by_url_gets_its_reason(server, run, filename, reason, rule):
    url = f"https://wheels.example/{filename}"
    result = run("resolve", f"torch @ {url}", *replica_options(server))
    assert (result.status, result.code) == (1, "no-solution"), result.err
    text = " ".join(result.err.split())
    assert "`torch` cannot be taken from its URL" in text
    assert reason in text
    assert rule is None or f"rule {rule} " in text


def test_url_requirement(server, run):
    options = replica_options(server)
    [entry] = [e for e in server.indexes["pypi"].projects["idna"] if "-3.9-" in e.filename]
    url = f"{server.base}/pypi/files/{entry.filename}"
    result = run("resolve", f"idna @ {url}", "requests", *options)
    assert result.status == 0, result.err
    locked = {p["name"]: p for p in toml.loads((FOLDER / "pylock.toml").read_text())["packages"]}
    assert locked["idna"]["archive"] == {
        "url": url,
        "hashes": {"sha256": hashlib.sha256(entry.content).hexdigest()},
    }
    assert f"idna @ {url} \\" in (FOLDER / "requirements.txt").read_text()
    wrong = run("resolve", f"idna @ {url}#sha256={'0' * 64}", *options, "-o", "other.txt")
    assert wrong.status == 5, wrong.err


def test_credentials_are_used_and_written_nowhere(server, run, tmp_path):
    options = replica_options(server)
    secret = [option.replace("http://", "http://user:p%40ss@") for option in options]
    result = run("resolve", *secret)
    assert result.status == 0, result.err
    assert all(headers.get("authorization") == "Basic dXNlcjpwQHNz" for headers in server.headers)
    everything = b"".join([*snapshot(FOLDER).values(), *snapshot(tmp_path / "cache").values()])
    assert b"p@ss" not in everything
    assert b"p%40ss" not in everything
    server.indexes.clear()
    failed = run("resolve", "-U", *secret)
    assert "p%40ss" not in failed.err + failed.out


def test_credentials_do_not_leave_their_origin(server, run):
    other = Server()
    try:
        wheel = make_wheel(Spec("a", "1"))
        index = server.index("pypi", metadata_files=True)
        index.add_wheel("a", wheel, stated={"url": f"{other.base}/x/files/{wheel.filename}"})
        other.index("x", metadata_files=True).add_wheel("a", wheel)
        url = server.url("pypi").replace("http://", "http://user:secret@")
        assert run("resolve", "a", "--index-url", url, "-o", "r.txt").status == 0
        assert other.log
        assert not any("authorization" in headers for headers in other.headers)
    finally:
        other.close()


def test_wheels_without_any_hash_are_read_once(server, run):
    options = replica_options(server, hashes=False, metadata_files=False, ranges=True)
    server.indexes["rocm"].style.hashes = False
    assert run("resolve", *options).status == 0
    data = toml.loads((FOLDER / "pylock.toml").read_text())
    locked = {p["name"]: p["wheels"][0]["hashes"]["sha256"] for p in data["packages"]}
    assert locked["idna"] == digest_of(server, "idna", "3.10")
    fetched = [
        (path, span)
        for path, span in server.log
        if "/files/torch-1.13.1%2Brocm5.2-cp310" in path
        and span is None
        and not path.endswith(".metadata")
    ]
    assert len(fetched) == 1
    server.forget()
    assert run("resolve", "-U", *options).status == 0
    assert not [path for path, span in server.log if path.endswith(".whl") and span is None]


def test_gfx_and_name(server, run):
    options = replica_options(server)
    assert run("resolve", *options, "--gfx", "gfx1012", "--name", "mine").status == 0
    table = toml.loads(Path("locks/mine/pylock.toml").read_text())["tool"]["rdna1-lock"]
    assert table["target"]["gfx"] == ["gfx1012"]
    assert run("resolve", *options, "--output-dir", "elsewhere").status == 0
    assert Path("elsewhere/pylock.toml").exists()


def test_without_torch_there_are_no_variables(server, run):
    assert (
        run(
            "resolve",
            "requests",
            *replica_options(server),
            "--python-version",
            "3.13",
            "-o",
            "pylock.toml",
        ).status
        == 0
    )
    assert toml.loads(Path("pylock.toml").read_text())["tool"]["rdna1-lock"]["env"] == {}


def test_second_stack_from_the_catalogue(server, run, default_only):
    assert run("resolve", "--stack", "rocm5.1.1", *default_only).status == 0
    data = toml.loads(Path("locks/rocm5.1.1-cp310/pylock.toml").read_text())
    torch = next(p for p in data["packages"] if p["name"] == "torch")
    assert torch["wheels"][0]["hashes"]["sha256"].startswith("a94c002f72fd383c")


def test_experimental_stack_says_so_and_needs_its_own_index(server, run):
    default, _ = build_replica(server)
    amd = server.index("amd", kind="pytorch", absent=403)
    label = "+rocm7.14.0"
    devices = {
        f"device-gfx101{n}": (f"amd-torch-device-gfx101{n}==2.12.0{label}",) for n in range(3)
    }
    amd.add(
        Spec(
            "torch",
            "2.12.0" + label,
            ("rocm[libraries]==7.14.0",),
            devices,
            tag="cp312-cp312-linux_x86_64",
        )
    )
    for n in range(3):
        amd.add(
            Spec(f"amd-torch-device-gfx101{n}", "2.12.0" + label, tag="cp312-cp312-linux_x86_64")
        )
    amd.add_sdist("rocm", "7.14.0")
    options = ["--stack", "therock", "--index-url", default, "--rocm-index-url", server.url("amd")]
    refused = run("resolve", *options)
    assert refused.status == 1, refused.err
    assert "rocm 7.14.0 as a source distribution only" in " ".join(refused.err.split())
    assert "pip wheel" in refused.err
    Path("own").mkdir()
    wheel = make_wheel(Spec("rocm", "7.14.0", extras={"libraries": ()}))
    Path("own", wheel.filename).write_bytes(wheel.content)
    result = run("resolve", *options, "--find-links", "own", "--gfx", "gfx1012")
    assert result.status == 0, result.err
    assert "experimental" in result.err
    found = versions(Path("locks/therock-cp312/pylock.toml"))
    assert found["torch"] == "2.12.0" + label
    assert "amd-torch-device-gfx1012" in found
    assert "amd-torch-device-gfx1010" not in found
    assert toml.loads(Path("locks/therock-cp312/pylock.toml").read_text())["tool"]["rdna1-lock"][
        "env"
    ] == {"AMDGCN_USE_BUFFER_OPS": "0"}
