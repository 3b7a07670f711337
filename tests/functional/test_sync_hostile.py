"""``sync`` with wheels, environments and folders that others prepared, and after any interruption."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.archives import edit_lock, write_archive
from support.interpreters import find_python
from support.server import Server

BIN = Path(sys.executable).parent
TOOL = BIN / "rdna1-lock"
# 200 of them take some minutes.
KILLS = int(os.environ.get("RDNA1_LOCK_KILLS", "15"))
SITE = Path("env/lib/python3.10/site-packages")


@pytest.fixture(scope="module")
def python() -> str:
    found = find_python("3.10")
    if found is None:
        pytest.skip("no CPython 3.10 on this machine")
    return found


@pytest.fixture
def sync(server: Server, run, python):
    """Lock what is in ``own``, and return what syncs ``env`` with it."""
    server.index("pypi")

    def call(*more: object, lock: tuple[str, ...] | None = None):
        if lock is not None:
            options = ["--index-url", server.url("pypi"), "--output-dir", "lock", "-f", "own"]
            made = run("resolve", *lock, *options, "-U", "-q")
            assert made.status == 0, made.err
        return run(*("sync", "lock", "--venv", "env", "--python", python, "-f", "own"), *more)

    return call


@pytest.fixture
def env(sync, run) -> Path:
    """An environment that is exactly the lock of ``mine`` and ``other``."""
    write_archive(Path("own"), {"mine/core.py": b"answer = 42\n", "mine_top.py": b""})
    write_archive(Path("own"), name="other")
    made = sync(lock=("mine", "other"))
    assert made.status == 0, made.err
    return SITE


def differs(result, *words: str) -> None:
    assert (result.status, result.code) == (5, "environment-differs"), result.err
    for word in words:
        assert word in " ".join(result.err.split())


def mends(sync, *more: object) -> None:
    done = sync(*more)
    assert done.status == 0, done.err
    again = sync("--check")
    assert again.status == 0, again.err


# --- isolation ---


def test_nothing_in_the_working_folder_is_run(sync, env, python, monkeypatch):
    """pip, venv and Python itself import from the working folder unless they are isolated."""
    shutil.rmtree("env")
    modules = ("pip", "venv", "ensurepip", "installer", "sitecustomize", "usercustomize", "json")
    for name in modules:
        Path(f"{name}.py").write_text("open('executed', 'a').write(__name__)\n")
    Path("pip").mkdir()
    Path("pip/__main__.py").write_text("open('executed', 'a').write('pip')\n")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [TOOL, "sync", "lock", "--venv", "env", "--python", python]
    done = subprocess.run([*command, "-q"], env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not Path("executed").exists()
    # Also where the variables of the caller lead there: what we start does not get them.
    assert sync("--check").status == 0
    assert not Path("executed").exists()


# --- what an interrupted run or another tool left ---


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5])


def pip_leftover(site: Path) -> None:
    shutil.copytree(site / "mine", site / "~ine")
    shutil.copytree(site / "mine-1.0.dist-info", site / "~ine-1.0.dist-info")


def empty_dist_info(site: Path) -> None:
    shutil.rmtree(site / "mine-1.0.dist-info")
    (site / "mine-1.0.dist-info").mkdir()


def second_dist_info(site: Path) -> None:
    shutil.copytree(site / "mine-1.0.dist-info", site / "mine-0.9.dist-info")


def link_to_it(site: Path) -> None:
    shutil.move(site / "mine/core.py", "elsewhere.py")
    (site / "mine/core.py").symlink_to(Path("elsewhere.py").resolve())


LEFT: dict[str, Callable[[Path], object]] = {
    "a folder that pip was deleting": pip_leftover,
    "an empty dist-info": empty_dist_info,
    "an empty dist-info of nothing": lambda site: (site / "gone-1.dist-info").mkdir(),
    "a dist-info without METADATA": lambda site: (site / "mine-1.0.dist-info/METADATA").unlink(),
    "a dist-info without RECORD": lambda site: (site / "mine-1.0.dist-info/RECORD").unlink(),
    "an empty RECORD": lambda site: (site / "mine-1.0.dist-info/RECORD").write_text(""),
    "a RECORD of NUL": lambda site: (site / "mine-1.0.dist-info/RECORD").write_bytes(b"\0" * 90),
    "a second dist-info": second_dist_info,
    "a half-written file": lambda site: halve(site / "mine/core.py"),
    "a file that is a link": link_to_it,
    "a file that is a folder": lambda site: (
        (site / "mine/core.py").unlink(),
        (site / "mine/core.py").mkdir(),
    ),
    "a FIFO in place of a file": lambda site: (
        (site / "mine/core.py").unlink(),
        os.mkfifo(site / "mine/core.py"),
    ),
    "a FIFO in place of METADATA": lambda site: (
        (site / "mine-1.0.dist-info/METADATA").unlink(),
        os.mkfifo(site / "mine-1.0.dist-info/METADATA"),
    ),
    "a FIFO in place of RECORD": lambda site: (
        (site / "mine-1.0.dist-info/RECORD").unlink(),
        os.mkfifo(site / "mine-1.0.dist-info/RECORD"),
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_was_left_is_mended(sync, env, name):
    LEFT[name](env)
    differs(sync("--check"))
    mends(sync)
    assert (env / "mine/core.py").read_bytes() == b"answer = 42\n"
    assert not list(env.glob("~*"))


def test_a_link_in_place_of_a_file_is_not_written_through(sync, env):
    outside = Path("outside.py")
    os.link(env / "mine/core.py", outside)  # as uv does from its cache
    (env / "mine/__init__.py").write_text("changed")
    outside.write_bytes(b"answer = 0\n")
    mends(sync)
    assert outside.read_bytes() == b"answer = 0\n"


def test_system_packages_are_shut_out(sync, env):
    config = Path("env/pyvenv.cfg")
    config.write_text(
        config.read_text().replace(
            "include-system-site-packages = false", "include-system-site-packages = TRUE"
        )
    )
    differs(sync("--check"), "include-system-site-packages")
    mends(sync)
    assert "include-system-site-packages = false" in config.read_text()


def test_other_spellings_of_a_version(sync):
    write_archive(Path("own"), info="mine-1.0.0.dist-info", metadata="")
    mine = Path("own/mine-1.0-py3-none-any.whl")
    mine.rename("own/mine-1.0.0-py3-none-any.whl")
    write_archive(Path("own"), name="dated", version="2019.02.07")
    made = sync(lock=("mine==1.0", "dated==2019.2.7"))
    assert made.status == 0, made.err
    again = sync("--json")
    assert json.loads(again.out)["installed"] == []
    assert sync("--check").status == 0


@pytest.mark.parametrize("algorithm", ["sha384", "sha512", "md5", "sha1", "none"])
def test_a_record_of_other_hashes(sync, algorithm):
    write_archive(Path("own"), {"mine/core.py": b"answer = 42\n"}, algorithm=algorithm)
    made = sync(lock=("mine",))
    assert made.status == 0, made.err
    assert sync("--check").status == 0
    (SITE / "mine/core.py").write_bytes(b"answer = 43\n")  # of the same size
    differs(sync("--check"), "changed: mine", "core.py")
    mends(sync)


def test_two_wheels_with_one_file(sync):
    write_archive(Path("own"), {"tests/__init__.py": b"one\n"})
    write_archive(Path("own"), {"tests/__init__.py": b"another\n"}, name="other")
    made = sync(lock=("mine", "other"))
    assert made.status == 0, made.err
    mends(sync)
    (SITE / "tests/__init__.py").write_bytes(b"neither\n")
    differs(sync("--check"), "tests/__init__.py")
    mends(sync)


# --- files of no package ---

STRAYS: dict[str, Callable[[Path], object]] = {
    "evil.pth": lambda site: (site / "evil.pth").write_text("import os\n"),
    "sitecustomize.py": lambda site: (site / "sitecustomize.py").write_text(""),
    "usercustomize.py": lambda site: (site / "usercustomize.py").write_text(""),
    "mine/extra.py": lambda site: (site / "mine/extra.py").write_text(""),
    "mine/core.abi3.so": lambda site: (site / "mine/core.abi3.so").write_bytes(b"\x7fELF"),
    "numpy/": lambda site: (
        (site / "numpy/core").mkdir(parents=True),
        (site / "numpy/core/x.py").write_text(""),
        (site / "numpy/y.py").write_text(""),
    ),
    "mine.egg-link": lambda site: (site / "mine.egg-link").write_text("/somewhere\n.\n"),
    "mine/__pycache__/": lambda site: (
        (site / "mine/__pycache__").mkdir(exist_ok=True),
        (site / "mine/__pycache__/other.cpython-310.pyc").write_bytes(b"x"),
    ),
    "__pycache__/": lambda site: (
        (site / "__pycache__").mkdir(exist_ok=True),
        (site / "__pycache__/sitecustomize.cpython-310.pyc").write_bytes(b"x"),
    ),
    "mine-1.0.dist-info/entry_points.txt": lambda site: (
        site / "mine-1.0.dist-info/entry_points.txt"
    ).write_text("[x]\n"),
    "_virtualenv.py": lambda site: (site / "_virtualenv.py").write_text("import evil\n"),
    "linked": lambda site: (site / "linked").symlink_to(Path("mine-own").resolve()),
}


@pytest.mark.parametrize("name", STRAYS)
def test_a_file_of_no_package_is_named_and_goes_on_request_alone(sync, env, name):
    Path("mine-own").mkdir()
    Path("mine-own/code.py").write_text("mine")
    STRAYS[name](env)
    differs(sync("--check"), f"extraneous: {name} belongs to no locked package")
    (env / "other/__init__.py").write_text("changed")
    refused = sync()
    assert (refused.status, refused.code) == (5, "extraneous-files"), refused.err
    assert f"extraneous: {name} belongs" in " ".join(refused.err.split())
    assert "--remove-extraneous" in refused.err
    assert os.path.lexists(env / name)
    assert (env / "other/__init__.py").read_text() == "changed", "nothing was changed"
    done = sync("--remove-extraneous", "--json")
    assert done.status == 0, done.err
    removed, *others = json.loads(done.out)["removed-files"]
    assert removed.endswith(f"/{name}")
    assert others == []
    assert not os.path.lexists(env / name)
    assert sync("--check").status == 0
    assert Path("mine-own/code.py").read_text() == "mine"


def test_a_row_added_to_an_installed_record_hides_nothing(sync, env):
    (env / "evil.py").write_text("")
    with (env / "mine-1.0.dist-info/RECORD").open("a") as record:
        record.write("evil.py,,\n")
    differs(sync("--check"), "evil.py is not in its wheel")
    mends(sync)
    assert not (env / "evil.py").exists()


def test_compiled_files_and_what_tools_write_are_no_strays(sync, env):
    code = "import mine.core, mine_top, other"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    for options in ((), ("-O",), ("-OO",)):
        subprocess.run(["env/bin/python", *options, "-c", code], check=True, env=clean)
    (env / "_virtualenv.pth").write_text("import _virtualenv")
    assert list(env.glob("mine/__pycache__/*.opt-2.pyc"))
    assert sync("--check").status == 0
    # And with the package its compiled files go.
    done = sync(lock=("other",))
    assert done.status == 0, done.err
    assert not (env / "mine").exists()
    assert not list(env.glob("__pycache__/*"))


@pytest.mark.parametrize("tool", ["uv", "virtualenv"])
def test_environments_and_packages_of_other_tools(sync, env, python, tool, tmp_path):
    """What uv or virtualenv made, and uv or pip filled, is the lock as well."""
    shutil.rmtree("env")
    uv = [BIN / "uv", "-q", "--cache-dir", tmp_path / "uv"]
    if tool == "uv":
        subprocess.run([*uv, "venv", "-p", python, "env"], check=True)
        install = [*uv, "pip", "install", "-p", "env/bin/python"]
    else:
        subprocess.run([BIN / "virtualenv", "-q", "-p", python, "env"], check=True)
        install = [sys.executable, "-m", "pip", "-q", "--python", "env/bin/python", "install"]
        install.append("--no-cache-dir")
    subprocess.run([*install, "--no-index", *sorted(Path("own").glob("*.whl"))], check=True)
    first = sync("--json")
    assert first.status == 0, first.err
    assert json.loads(first.out)["installed"] == []
    assert sync("--check").status == 0


# --- hostile wheels and RECORDs ---


def test_a_record_that_names_files_outside_is_not_followed(sync, env):
    victim = Path("victim.txt").resolve()
    victim.write_text("mine")
    os.mkfifo("fifo")
    up = "../" * 5
    info = env / "evil-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n\n")
    (env / "way").symlink_to(Path.cwd())
    named = [
        *(str(victim), f"{up}victim.txt", "way/victim.txt", "/dev/zero", "/dev/tty", "mine"),
        *(f"{up}fifo", "../../../bin/python", "../../../pyvenv.cfg", "way"),
    ]
    (info / "RECORD").write_text("".join(f"{name},sha256=x,9\n" for name in named))
    differs(sync("--check"), "extra: evil 1")
    mends(sync)
    assert not info.exists()
    assert victim.read_text() == "mine"
    assert (env / "mine/core.py").exists()


MILLION = 3_000_000
BAD_WHEELS: dict[str, tuple[str, dict[str, object]]] = {
    "a row of an absolute path": ("RECORD", {"record": lambda text: text + "/dev/zero,,\n"}),
    "a row that leads out": ("RECORD", {"record": lambda text: text + "../../x,sha256=x,1\n"}),
    "three million rows": ("RECORD", {"record": lambda text: text + "mine/x,,\n" * MILLION}),
    "a huge row": ("field larger", {"record": lambda text: text + "x" * 300_000}),
    "a RECORD that is not text": ("utf-8", {"record": lambda text: b"\xff\xfe,,\n"}),
    "a file with a path that leads out": ("../../evil.py", {"files": {"../../evil.py": b""}}),
    "a file with an absolute path": ("/tmp/evil.py", {"files": {"/tmp/evil.py": b""}}),
    "the interpreter": ("own", {"files": {"mine-1.0.data/scripts/python": b"#!python\n"}}),
    "pyvenv.cfg": ("own", {"files": {"mine-1.0.data/data/pyvenv.cfg": b"home = /\n"}}),
    "an unknown scheme": ("valid .data", {"files": {"mine-1.0.data/etc/passwd": b""}}),
    "an entry point that leads out": (
        "../../evil",
        {
            "files": {
                "mine-1.0.dist-info/entry_points.txt": b"[console_scripts]\n../../evil = mine:x\n"
            }
        },
    ),
    "an entry point that is none": (
        "cannot be installed",
        {"files": {"mine-1.0.dist-info/entry_points.txt": b"[console_scripts]\nx = 1 2 3\n"}},
    ),
    "two dist-info folders": ("dist-info", {"files": {"x-1.dist-info/METADATA": b""}}),
}


@pytest.mark.parametrize("name", BAD_WHEELS)
def test_a_wheel_that_asks_for_too_much(sync, env, name):
    words, made = BAD_WHEELS[name]
    write_archive(Path("own"), version="2.0", **relabelled(dict(made)))
    before = sorted(env.rglob("*"))
    refused = sync(lock=("mine", "other"))
    assert (refused.status, refused.code) == (3, "bad-wheel"), refused.err
    assert words in refused.err
    assert sorted(env.rglob("*")) == before


def relabelled(arguments: dict[str, object]) -> dict[str, object]:
    files = arguments.get("files")
    if isinstance(files, dict):
        arguments["files"] = {key.replace("mine-1.0.", "mine-2.0."): files[key] for key in files}
    return arguments


def says(name: str, size: int) -> Callable[[zipfile.ZipFile], None]:
    def edit(archive: zipfile.ZipFile) -> None:
        archive.getinfo(name).file_size = size

    return edit


@pytest.mark.parametrize(
    ("size", "words"), [(300 << 30, "unpack to"), (3, "CRC"), (40, "cannot be installed")]
)
def test_sizes_that_lie(sync, size, words):
    write_archive(Path("own"), {"mine/core.py": b"answer = 42\n"}, edit=says("mine/core.py", size))
    refused = sync(lock=("mine",))
    if size == 40:  # more than there is: what there is gets installed, or refused
        assert refused.status in {0, 3, 5}, refused.err
        return
    assert (refused.status, refused.code) == (3, "bad-wheel"), refused.err
    assert words in refused.err


# --- many at once, and any moment of a kill ---


def test_four_at_once(env, python):
    shutil.rmtree("env")
    command = [TOOL, "sync", "lock", "--venv", "env", "--python", python, "-q"]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in running]
    assert [status for _, status in ends] == [0, 0, 0, 0], ends
    assert subprocess.run([*command, "--check"], check=False).returncode == 0


@pytest.mark.slow
def test_killed_at_any_moment_the_next_run_mends(sync, python):
    """SIGKILL while an environment is made, filled, changed to another lock and back."""
    body = {f"mine/m{number}.py": b"x = 1\n" * 2000 for number in range(400)}
    write_archive(Path("own"), body)
    fewer = {f"mine/n{number}.py": b"y = 1\n" * 1500 for number in range(300)}
    write_archive(Path("own"), fewer, version="2.0")
    for version in ("1.0", "2.0"):
        assert sync("--no-env", lock=(f"mine=={version}",)).status == 0
        shutil.copytree("lock", version)
    command = [TOOL, "sync", "--python", python, "--venv", "env", "-q"]
    started = time.monotonic()
    shutil.rmtree("env")
    subprocess.run([*command, "1.0"], check=True)
    whole = time.monotonic() - started
    chance = random.Random(11)
    for number in range(KILLS):
        if chance.random() < 0.3:
            shutil.rmtree("env", ignore_errors=True)
        lock = chance.choice(("1.0", "2.0"))
        process = subprocess.Popen([*command, lock], stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.1, whole))
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = chance.choice(("1.0", "2.0"))
        mended = subprocess.run(
            [*command, after], capture_output=True, text=True, check=False, timeout=120
        )
        assert mended.returncode == 0, (number, lock, after, mended.stderr)
        checked = subprocess.run([*command, after, "--check"], check=False)
        assert checked.returncode == 0, number


# --- what the operating system refuses ---


@pytest.fixture
def small() -> Iterator[Path]:
    """A file system of 2 MB."""
    place = Path("small").resolve()
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", place]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount a file system here")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(place: Path) -> None:
    with (place / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


def test_a_full_disk_leaves_the_activation_scripts_whole(sync, env, small, run):
    moved = small / "env"
    shutil.rmtree("env")
    Path("env").symlink_to(moved)
    moved.mkdir()
    assert sync("--no-env").status == 0
    script = moved / "bin/activate"
    script.chmod(0o640)
    before = script.read_bytes()
    variables = {"ROCM_PATH": "/opt/rocm"}
    edit_lock(Path("lock"), lambda data: data["tool"]["rdna1-lock"].update(env=variables))
    fill(small)
    refused = sync()
    assert (refused.status, refused.code) == (3, "cannot-write"), refused.err
    assert script.read_bytes() == before
    assert not list(moved.glob("bin/.rdna1-lock-*"))
    (small / "filler").unlink()
    assert sync().status == 0
    assert b"ROCM_PATH" in script.read_bytes()
    assert script.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_is_told_before_anything_is_removed(sync, env, small):
    noise = random.Random(1).randbytes(1_500_000)
    write_archive(Path("own"), {"mine/data.bin": noise}, version="2.0")
    shutil.rmtree("env")
    Path("env").symlink_to(small / "env")
    (small / "env").mkdir()
    assert sync().status == 0
    (small / "filler").write_bytes(b"x" * 1_000_000)
    refused = sync(lock=("mine", "other"))
    assert (refused.status, refused.code) == (3, "no-space"), refused.err
    assert (SITE / "mine/core.py").read_bytes() == b"answer = 42\n"
    (small / "filler").unlink()
    mends(sync)


def test_a_read_only_environment(sync, env, small):
    shutil.rmtree("env")
    Path("env").symlink_to(small / "env")
    (small / "env").mkdir()
    assert sync().status == 0
    (SITE / "mine/core.py").write_text("changed")
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    differs(sync("--check"), "core.py")
    refused = sync()
    assert (refused.status, refused.code) == (3, "cannot-write"), refused.err
    Path("env").unlink()
    Path("env").symlink_to(small / "new")
    assert (sync().status, sync().code) == (3, "not-an-environment")


@pytest.mark.parametrize(
    "kind", ["file", "below a file", "broken link", "link to a file", "device"]
)
def test_a_place_that_can_be_no_environment(sync, env, kind):
    shutil.rmtree("env")
    Path("file").write_text("mine")
    if kind == "file":
        Path("env").write_text("mine")
    elif kind == "broken link":
        Path("env").symlink_to("nowhere")
    elif kind == "link to a file":
        Path("env").symlink_to("file")
    more = {"below a file": ("--venv", "file/env"), "device": ("--venv", "/dev/null")}
    for options in ((), ("--check",)):
        refused = sync(*more.get(kind, ()), *options)
        assert (refused.status, refused.code) == (3, "not-an-environment"), refused.err
    assert Path("file").read_text() == "mine"
    assert not Path("nowhere").exists()


def test_an_interpreter_that_installs_elsewhere(sync, env, python):
    subprocess.run([python, "-m", "venv", "--without-pip", "mine-own"], check=True)
    shutil.rmtree("env/lib")
    Path("env/lib").symlink_to(Path("mine-own/lib").resolve())
    refused = sync()
    assert (refused.status, refused.code) == (3, "broken-environment"), refused.err
    assert not list(Path("mine-own").glob("lib/python3.10/site-packages/*"))


@pytest.mark.parametrize("answer", ["[]", "{}", '{"paths": 3}', "nothing", '{"paths": {}}'])
def test_an_interpreter_that_answers_nonsense(sync, env, answer, tmp_path):
    Path("env/bin/python").unlink()
    Path("env/bin/python").write_text(f"#!/bin/sh\necho '{answer}'\n")
    Path("env/bin/python").chmod(0o755)
    refused = sync()
    assert (refused.status, refused.code) == (3, "broken-environment"), refused.err


def test_an_interpreter_that_never_stops_talking(sync, env):
    Path("env/bin/python").unlink()
    Path("env/bin/python").write_text("#!/bin/sh\nexec cat /dev/zero\n")
    Path("env/bin/python").chmod(0o755)
    refused = sync()
    assert (refused.status, refused.code) == (3, "broken-environment"), refused.err


def test_wheels_that_are_a_file(sync, env):
    shutil.rmtree("lock/wheels")
    Path("lock/wheels").write_text("mine")
    refused = sync()
    assert (refused.status, refused.code) == (3, "cannot-write"), refused.err
    assert Path("lock/wheels").read_text() == "mine"


def as_ordinary_user(*command: object) -> tuple[int, str]:
    """Run the tool with permissions that count: root without its capabilities, or who we are."""
    words = [str(word) for word in (TOOL, *command)]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("no setpriv on this machine")
        words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *words]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def closed(env) -> Iterator[Callable[[Path, int], None]]:
    """Take permissions away, until the end of the test."""
    changed: list[tuple[Path, int]] = []

    def close(path: Path, mode: int) -> None:
        changed.append((path, path.stat().st_mode & 0o777))
        path.chmod(mode)

    yield close
    for path, mode in reversed(changed):
        path.chmod(mode)


@pytest.mark.parametrize(
    ("path", "mode", "code"),
    [
        ("lock/wheels", 0, "cannot-read"),
        ("lock/wheels/mine-1.0-py3-none-any.whl", 0, "cannot-read"),
        ("lock/pylock.toml", 0, "bad-lock"),
        ("lock", 0, "bad-lock"),
        ("env", 0, "not-an-environment"),
        ("env/bin", 0o555, "cannot-write"),
        ("env/lib/python3.10/site-packages", 0, "cannot-write"),
        ("env/lib/python3.10/site-packages/mine", 0o555, "cannot-write"),
    ],
)
def test_permissions_that_lack(sync, env, closed, path, mode, code):
    (env / "mine/core.py").write_text("changed")
    (env / "unknown.py").write_text("")
    edit_lock(
        Path("lock"), lambda data: data["tool"]["rdna1-lock"].update(env={"ROCM_PATH": "/opt/rocm"})
    )
    closed(Path(path), mode)
    status, said = as_ordinary_user("sync", "lock", "--venv", "env", "--remove-extraneous")
    assert status == 3, said
    assert f"error[{code}]" in said
    assert "Traceback" not in said
