"""One reader of requirements files: what ``resolve`` takes, ``audit`` sees, and the other way."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdna1_lock.audit.lockfiles import read_lock_file
from rdna1_lock.errors import InputError
from rdna1_lock.resolution.inputs import UserInput, read_file

URL = "https://rocm.example/torch-1.13.1%2Brocm5.2-cp310-cp310-linux_x86_64.whl"
NAMED = "torch==1.13.1+rocm5.2"
SHA = "a" * 64


def resolved(path: Path, **environ: str) -> UserInput:
    user = UserInput()
    read_file(path, user, environ=environ)
    return user


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "requirements.txt"


# Files; what audit's packages are: name, version, line of which file.
SAME = {
    "byte order mark": (
        {"requirements.txt": b"\xef\xbb\xbf" + NAMED.encode()},
        [("torch", "1.13.1+rocm5.2", "requirements.txt", 1)],
    ),
    "wheel by URL alone": (
        {"requirements.txt": f"# x\n{URL}\n"},
        [("torch", "1.13.1+rocm5.2", "requirements.txt", 2)],
    ),
    "named URL": (
        {"requirements.txt": f"torch @ {URL}#sha256={SHA}\n"},
        [("torch", "1.13.1+rocm5.2", "requirements.txt", 1)],
    ),
    "wheel by path": (
        {
            "requirements.txt": "./own/mine-1.0-py3-none-any.whl\n",
            "own/mine-1.0-py3-none-any.whl": "",
        },
        [("mine", "1.0", "requirements.txt", 1)],
    ),
    "-r": (
        {"requirements.txt": "idna\n-r more/other.txt\n", "more/other.txt": f"\n{NAMED}\n"},
        [("idna", None, "requirements.txt", 1), ("torch", "1.13.1+rocm5.2", "more/other.txt", 2)],
    ),
    "-r without a space, and its long form": (
        {
            "requirements.txt": "-ra.txt\n--requirement=b.txt\n",
            "a.txt": "idna==1\n",
            "b.txt": "numpy==1.26.4\n",
        },
        [("idna", "1", "a.txt", 1), ("numpy", "1.26.4", "b.txt", 1)],
    ),
    "continued lines, comments and hashes": (
        {"requirements.txt": f"{NAMED} \\\n  --hash=sha256:{SHA}  # the card's\nidna # x\n"},
        [
            ("torch", "1.13.1+rocm5.2", "requirements.txt", 1),
            ("idna", None, "requirements.txt", 3),
        ],
    ),
    "a variable": (
        {"requirements.txt": "numpy==${NUMPY}\n"},
        [("numpy", "1.26.4", "requirements.txt", 1)],
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_resolve_and_audit_read_the_same(tmp_path, case):
    files, expected = SAME[case]
    path = write(tmp_path, files)
    user = resolved(path, NUMPY="1.26.4")
    subject = read_lock_file(path, {"NUMPY": "1.26.4"})
    seen = [
        (
            package.name,
            str(package.version) if package.version else None,
            str(Path(package.file or "").relative_to(tmp_path)),
            package.line,
        )
        for package in subject.packages
    ]
    assert seen == expected
    assert [item.parsed.name for item in user.requirements] == [name for name, *_ in expected]
    assert [item.where for item in user.requirements] == [
        f"{tmp_path / file}:{line}" for _, _, file, line in expected
    ]
    assert subject.notes == ()


def test_hashes_are_the_same_to_both(tmp_path):
    path = write(tmp_path, {"requirements.txt": f"{NAMED} --hash=sha256:{SHA}\nidna==1\n"})
    assert [item.hashes for item in resolved(path).requirements] == [frozenset({SHA}), frozenset()]
    assert [package.hashed for package in read_lock_file(path, {}).packages] == [True, False]


@pytest.mark.parametrize("option", ["-c bounds.txt", "--constraint bounds.txt", "-cbounds.txt"])
def test_constraints_bound_what_is_asked_for_and_nothing_else(tmp_path, option):
    path = write(
        tmp_path,
        {"requirements.txt": f"{option}\nnumpy\n", "bounds.txt": "numpy<2\ntorch==2.6.0\n"},
    )
    [numpy] = read_lock_file(path, {}).packages
    assert (numpy.name, str(numpy.specifier)) == ("numpy", "<2")
    assert [(item.parsed.name, item.constraint) for item in resolved(path).requirements] == [
        ("numpy", True),
        ("torch", True),
        ("numpy", False),
    ]


def test_a_constraint_can_pin(tmp_path):
    path = write(
        tmp_path, {"requirements.txt": "-c bounds.txt\ntorch\n", "bounds.txt": f"{NAMED}\n"}
    )
    [torch] = read_lock_file(path, {}).packages
    assert str(torch.version) == "1.13.1+rocm5.2"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("https://rocm.example/torch.tar.gz", "not-a-wheel"),
        ("./absent-1.0-py3-none-any.whl", "not-a-wheel"),
        ("-e .", "not-a-wheel"),
        ("!!!", "bad-requirement"),
        ("numpy --global-option=x", "bad-option"),
        ("--no-binary :all:", "bad-option"),
        ("-r 'unclosed", "bad-option"),
        ("-r absent.txt", "no-file"),
        ("-r requirements.txt", "file-loop"),
        ("-c latin.txt", "bad-file"),
    ],
)
def test_what_resolve_refuses_audit_notes_in_the_same_words(tmp_path, line, code):
    path = write(tmp_path, {"requirements.txt": f"{line}\nidna==1\n", "latin.txt": b"caf\xe9\n"})
    with pytest.raises(InputError) as caught:
        resolved(path)
    assert caught.value.code == code
    subject = read_lock_file(path, {})
    assert subject.notes == (caught.value.message,)
    assert [package.name for package in subject.packages] == ["idna"], "the rest is audited"
