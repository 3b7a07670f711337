"""The registry of checks: every rule is found where the registry says, and nowhere else."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from rdna1_lock.audit.environment import Look, look_at_environment
from rdna1_lock.audit.observed import Against, Machine, Observed
from rdna1_lock.audit.registry import (
    MACHINE_CHECKS,
    SUBJECT_CHECKS,
    Scope,
    check_facts,
    check_machine,
    check_subject,
    scopes_of,
)
from rdna1_lock.audit.report import check_host, findings_on
from rdna1_lock.audit.subject import Package, Subject, TorchFiles, read_version
from rdna1_lock.errors import InputError
from rdna1_lock.guard.outcome import Outcome, Record
from rdna1_lock.host.system import Host, look_at_host
from rdna1_lock.rules import load_gpus, load_known, load_rules, load_stack
from rdna1_lock.rules.finding import Finding, Place
from rdna1_lock.rules.location import constraints_dir
from rdna1_lock.rules.model import Rule
from support import sysfs
from support.repository import ROOT
from support.sysfs import make_machine

RULES, STACK, KNOWN = load_rules(), load_stack("rocm5.2"), load_known()
FILES = TorchFiles(
    hip="5.2.21151", cuda=None, gfx=frozenset({"gfx1030"}), stack=(), loader=None, vision_needs=()
)


def pkg(text: str, **more) -> Package:
    """``name==1.0`` is one that is fixed, ``name<2`` one that is asked for."""
    name, pin, version = text.partition("==")
    if not pin:
        [name] = re.findall(r"^[\w-]+", text)
    return Package(
        name=canonicalize_name(name),
        version=read_version(version),
        specifier=SpecifierSet() if pin else SpecifierSet(text.removeprefix(name)),
        raw_version=version or None,
        **{"place": "/env/site", "installer": "pip", **more},
    )


def file(*names: str, **more) -> Observed:
    packages = tuple(pkg(name) for name in names)
    subject = Subject(kind="file", label="requirements.txt", packages=packages, **more)
    return Observed(subject=subject, rules=RULES, stack=STACK, known=KNOWN)


def env(
    *names: str, packages: tuple[Package, ...] = (), torch: str = "torch==1.13.1+rocm5.2", **more
):
    observed = {key: more.pop(key) for key in ("against", "started", "host") if key in more}
    facts = {
        "python": Version("3.10.1"),
        "libc": "2.36",
        "torch_files": FILES,
        "variables": {"HSA_OVERRIDE_GFX_VERSION": "10.3.0"},
        "interpreter": "/env/bin/python",
        **more,
    }
    every = (*(pkg(name) for name in names), *packages, *([pkg(torch)] if torch else []))
    subject = Subject(kind="environment", label="/env", packages=every, **facts)
    return Observed(subject=subject, rules=RULES, stack=STACK, known=KNOWN, **observed)


def ran(outcome: Outcome = Outcome.DONE, **more) -> Record:
    return Record(name="audit", outcome=outcome, **more)


def host(folder: Path, *cards: sysfs.Card, **options) -> Host:
    changes = {key: options.pop(key) for key in ("libc", "rocm") if key in options}
    kernel = options.pop("kernel", "6.8.0")
    seen = look_at_host(load_gpus(), make_machine(folder, cards, **options).root, kernel=kernel)
    return dataclasses.replace(seen, **{"libc": "2.36", **changes})


LOCKED = SimpleNamespace(
    packages=(SimpleNamespace(name="idna", version=Version("3.10")),), env={"ROCM_PATH": "/x"}
)
AGAINST = Against(lock=LOCKED, name="my folder/lock")
ROCM_OFF = {f"MIOPEN_DEBUG_CONV_{name}": "0" for name in ("FFT", "DIRECT")}

IN_FILES = {
    "R01": file("torch==1.13.1+rocm5.2"),
    "R02": file("torch==1.13.1+rocm5.2", "torchvision==0.15.2+rocm5.2"),
    "R03": file("torch"),
    "R04": file("torch==1.13.1+rocm5.2", requires_python=SpecifierSet(">=3.11")),
    "R05": file("torch==1.13.1+rocm5.2", "numpy==2.2.6"),
    "R07": file("torch==2.0.1+rocm5.4.2"),
    "R11": file("torch==1.13.1+rocm5.2", "pytorch-triton-rocm==2.0.1"),
    "R12": file("torchvision==0.14.1+rocm5.2", "pillow==8.3.0"),
    "R13": file("torch==1.13.1+rocm5.2", "setuptools==70.0.0"),
    "R22": file("torch==1.13.1+rocm5.2"),
    "R26": dataclasses.replace(file("idna==3.9"), against=AGAINST),
}
IN_ENVIRONMENTS = {
    "R01": env(libc="2.41", torch_files=dataclasses.replace(FILES, stack=("libamdhip64.so",))),
    "R02": env("torchvision==0.15.2+rocm5.2"),
    "R03": env(torch="torch==1.13.1+cu117", torch_files=None),
    "R04": env(python=Version("3.11.2")),
    "R05": env("numpy==2.2.6"),
    "R06": env(variables={}),
    "R07": env(torch="torch==2.0.1+rocm5.4.2"),
    "R08": env(variables=ROCM_OFF),
    "R09": env(variables={"LD_PRELOAD": "/opt/rocm/lib/libMIOpen.so.1"}),
    "R11": env("pytorch-triton-rocm==2.0.1"),
    "R12": env("torchvision==0.14.1+rocm5.2", "pillow==8.3.0"),
    "R13": env("setuptools==84.2.1"),
    "R16": env(started=ran(Outcome.ABORT, error="Unable to open /dev/kfd read-write")),
    "R19": env(),
    "R20": env(variables={"ROCM_HOME": "/opt/rocm"}),
    "R21": env(variables={"MIOPEN_FIND_ENFORCE": "3"}),
    "R29": env("triton==3.7.0", torch="torch==2.12.0+rocm7.14.0", variables={}),
    "R22": env(),
    "R23": env("idna==1", changed={"idna": (("idna/__init__.py", "has another size"),)}),
    "R24": env(packages=(pkg("a==1", requires=("absent>=2",)),)),
    "R25": env("idna==1", "idna==2"),
    "R26": env("idna==3.9", against=AGAINST),
    "R27": env(started=ran(Outcome.HANG, phase="import")),
}
OLD = dataclasses.replace(sysfs.RX_5600_XT, mec=144, kfd=False)
NATIVE = Version("7.13")


def machines(folder: Path) -> dict[str, Machine]:
    cards = sysfs.RX_5600_XT, sysfs.RAPHAEL
    made = {
        "R01": (host(folder / "01", libc="2.41"), None),
        "R10": (host(folder / "10", rocm="6.2.4"), None),
        "R14": (host(folder / "14", cards[0]), None),
        "R15": (host(folder / "15", *cards), None),
        "R16": (host(folder / "16", cards[0], devices=False), None),
        "R17": (host(folder / "17", OLD), None),
        "R18": (host(folder / "18", cards[0], kernel="6.12.0"), NATIVE),
        "R28": (host(folder / "28"), None),
    }
    return {rule: Machine(host=seen, rules=RULES, rocm=rocm) for rule, (seen, rocm) in made.items()}


def test_every_rule_is_found_in_every_scope_that_the_registry_declares(tmp_path):
    cases = {
        Scope.LOCK: {rule: check_subject(seen) for rule, seen in IN_FILES.items()},
        Scope.ENVIRONMENT: {rule: check_subject(seen) for rule, seen in IN_ENVIRONMENTS.items()},
        Scope.HOST: {rule: check_machine(seen) for rule, seen in machines(tmp_path).items()},
    }
    for scope, by_rule in cases.items():
        for rule, findings in by_rule.items():
            assert rule in {item.rule for item in findings}, (scope, rule)
    declared = {
        (scope, rule)
        for check in (*SUBJECT_CHECKS, *MACHINE_CHECKS)
        for scope in check.scopes
        for rule in check.rules
    }
    assert declared == {(scope, rule) for scope, by_rule in cases.items() for rule in by_rule}


def test_a_check_finds_only_the_rules_that_it_is_registered_for(tmp_path):
    for observed in (*IN_FILES.values(), *IN_ENVIRONMENTS.values()):
        for check in SUBJECT_CHECKS:
            scope = Scope.ENVIRONMENT if observed.subject.installed else Scope.LOCK
            if scope in check.scopes:
                assert {item.rule for item in check.find(observed)} <= set(check.rules)
    for machine in machines(tmp_path).values():
        for check in MACHINE_CHECKS:
            assert {item.rule for item in check.find(machine)} <= set(check.rules)


def test_every_rule_has_a_scope():
    assert all(scopes_of(rule) for rule in RULES.rules)


@pytest.mark.parametrize(
    ("rule", "scopes"),
    [
        ("R06", {"lock", "environment"}),
        ("R08", {"environment"}),
        ("R12", {"lock", "environment"}),
        ("R17", {"host"}),
        ("R24", {"environment"}),
    ],
)
def test_scopes_that_were_once_written_down_wrongly(rule, scopes):
    assert {scope.value for scope in scopes_of(RULES.by_id[rule])} == scopes


def test_every_command_of_the_data_is_used_and_none_names_a_folder_of_ours(tmp_path, monkeypatch):
    used, lines = set(), []
    command = Rule.command

    def noted(rule, name, **values):
        used.add((rule.id, name))
        lines.append(command(rule, name, **values).line)
        return command(rule, name, **values)

    monkeypatch.setattr(Rule, "command", noted)
    inside = dataclasses.replace(
        host(tmp_path / "c", sysfs.RX_5600_XT, devices=False), container=True
    )
    link = dataclasses.replace(sysfs.RX_5600_XT, mec=144, flags=1 | 4)
    more = [
        check_subject(
            dataclasses.replace(
                file(),
                subject=Subject(
                    kind="file",
                    label="my reqs.txt",
                    packages=(pkg("torch==1.13.1+rocm5.2", hashed=False),),
                ),
            )
        ),
        check_subject(env(torch_files=dataclasses.replace(FILES, gfx=frozenset({"gfx1010"})))),
        check_host(inside, RULES, {}, rocm=None),
        check_host(host(tmp_path / "l", link), RULES, {}, rocm=None),
        check_host(host(tmp_path / "s", sysfs=False), RULES, {}, rocm=None),
        check_host(
            host(tmp_path / "n", dataclasses.replace(link, kfd=False, mec=145)),
            RULES,
            {},
            rocm=None,
        ),
    ]
    every = [
        *more,
        *(check_subject(seen) for seen in (*IN_FILES.values(), *IN_ENVIRONMENTS.values())),
        *(check_machine(seen) for seen in machines(tmp_path).values()),
    ]
    found = list(itertools.chain.from_iterable(every))
    assert used == {(rule.id, name) for rule in RULES.rules for name in rule.commands}
    texts = [*lines, *(item.remedy for item in found), *(rule.remedy for rule in RULES.rules)]
    assert not [text for text in texts if "locks/" in text or "./" in text]
    assert "rdna1-lock sync 'my folder/lock' --venv DIR" in lines
    assert "rdna1-lock resolve -r 'my reqs.txt'" in lines
    assert not [text for text in lines if "{" in text]


# Facts.


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('rule = "R22"\n', 'rule = "R22"\ncolour = "red"\n', "(R22): unknown key `colour`"),
        ('rule = "R04"\n', 'rule = "R04"\ncolour = "red"\n', "(R04): unknown key `colour`"),
        ("firmware = 145", 'firmware = "145"', "(R17): `firmware` must be a int"),
        ('kernel = ">=6.12,<7"', 'kernel = "new"', "(R18): `kernel`"),
        ('torch = "<2.2.2"', "", "(R22): `torch` is missing"),
    ],
)
def test_facts_are_read_strictly(tmp_path, old, new, message):
    folder = Path(shutil.copytree(constraints_dir(), tmp_path / "constraints"))
    path = folder / "checks.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError) as caught:
        check_facts(load_rules(folder))
    assert "constraints/checks.toml: checks[" in caught.value.message
    assert message in caught.value.message


def test_the_worker_notes_every_library_that_may_leak():
    """It imports nothing of ours, so it has a list of its own: a longer one."""
    from rdna1_lock.audit.checks.libraries import LEAKS

    source = ROOT / "resolver/rdna1_lock/guard/worker/sweep_device.py"
    [noted] = [
        ast.literal_eval(node.value)
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "LIBRARIES"
    ]
    assert set(LEAKS.of(RULES).libraries) <= set(noted)


# Boundaries.


@pytest.mark.parametrize(
    ("series", "faulty", "native"),
    [
        ("5.1.1", False, False),
        ("5.2", False, False),
        ("5.3", True, False),
        ("7.2", True, False),
        ("7.9", False, True),
        ("7.13", False, True),
    ],
)
def test_the_series_that_work_fail_and_are_native(series, faulty, native):
    assert RULES.is_faulty(Version(series)) is faulty
    assert RULES.is_native(Version(series)) is native
    torch = f"torch==1.13.1+rocm{series}"
    found = {item.rule for item in check_subject(file(torch)) if item.severity.value == "error"}
    assert ("R07" in found) is faulty
    unset = {item.rule for item in check_subject(env(torch=torch, variables={}))}
    assert ("R06" in unset) is not native


@pytest.mark.parametrize(
    ("observed", "rule", "found"),
    [
        (env(torch="torch==2.2.2+rocm5.7"), "R22", False),
        (env(torch="torch==2.2.1+rocm5.7"), "R22", True),
        (env("setuptools==69.5.1"), "R13", False),
        (env("setuptools==70.0.0"), "R13", True),
        (env("setuptools==70.0.1"), "R13", False),
        (env("setuptools==81.0"), "R13", False),
        (env("setuptools==82.0"), "R13", True),
        (env("setuptools==82.0", torch="torch==2.0.0+rocm5.3"), "R13", False),
        (env("torchvision==0.14.1+rocm5.2", "pillow==5.3.0"), "R12", False),
        (env("torchvision==0.14.0+rocm5.2", "pillow==8.3.0"), "R12", False),
        (env("pytorch-triton-rocm==2.0.1", torch="torch==2.0.0+rocm5.3"), "R11", False),
        (env("pytorch-triton-rocm==2.0.2", torch="torch==2.0.0+rocm5.3"), "R11", True),
    ],
)
def test_bounds_of_the_data_are_held_exactly(observed, rule, found):
    assert (rule in {item.rule for item in check_subject(observed)}) is found


@pytest.mark.parametrize(("version", "severity"), [("2.0.1", "error"), ("2.1.0", "info")])
def test_which_releases_give_way_to_a_system_rocm(tmp_path, version, severity):
    (tmp_path / "libamdhip64.so").write_text("")
    observed = env(torch=f"torch=={version}+rocm5.2", variables={"LD_LIBRARY_PATH": f":{tmp_path}"})
    [finding] = [item for item in check_subject(observed) if item.rule == "R09"]
    assert finding.severity.value == severity
    assert finding.where == Place(variable="LD_LIBRARY_PATH")


# Torch, wherever it stands.


def unplaced(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(item.rule, item.seen) for item in findings}


def test_torch_is_found_wherever_it_stands():
    names = [
        "numpy==2.2.6",
        "pillow==8.3.1",
        "torch==1.13.1+rocm5.2",
        "torchvision==0.14.1+rocm5.2",
    ]
    seen = [
        unplaced(findings_on(make(*order), with_machine=False))
        for order in itertools.permutations(names)
        for make in (file, lambda *names: env(*names, torch=""))
    ]
    assert {"R05", "R12"} <= {rule for rule, _ in seen[0]}
    assert all(found == seen[number % 2] for number, found in enumerate(seen))


def test_the_first_of_two_torches_is_the_one_that_python_imports(tmp_path, monkeypatch):
    """Two site-packages: the files of the first torch are read, and its label counts."""
    from rdna1_lock.audit import environment

    sites = [tmp_path / "first", tmp_path / "second"]
    versions = ["1.13.1+rocm5.2", "2.6.0+cu124"]
    for site, text in zip(sites, ("hip = '5.2.0'", "cuda = '12.4'"), strict=True):
        (site / "torch").mkdir(parents=True)
        (site / "torch/version.py").write_text(text)

    def distribution(name: str, version: str, site: Path) -> dict:
        blank = {"requires": [], "installer": "pip", "path": None, "direct_url": None}
        return {"name": name, "version": version, "place": str(site), **blank}

    both = [
        distribution("numpy", "1.26.4", tmp_path / "third"),
        distribution("torch", versions[0], sites[0]),
        distribution("torch", versions[1], sites[1]),
    ]
    data = {
        "version": "3.10.1",
        "libc": "2.36",
        "prefix": str(tmp_path),
        "paths": {"purelib": str(sites[1])},
        "variables": {},
    }
    swapped = [both[0], both[2], both[1]]
    for order, hip, version in ((both, "5.2.0", versions[0]), (swapped, None, versions[1])):
        answer = {**data, "distributions": order}
        monkeypatch.setattr(environment, "_ask", lambda *_, answer=answer: (answer, ""))
        look = Look(environ={}, watched=(), libraries=())
        subject = look_at_environment(tmp_path / "python", look)
        torch = subject.first("torch")
        assert torch is not None
        assert subject.torch_files is not None
        assert (str(torch.version), subject.torch_files.hip) == (version, hip)


# Places.


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(file="my reqs.txt", line=3, package="numpy"), "my reqs.txt:3"),
        (Place(file="a.txt"), "a.txt"),
        (Place(path="/env", package="torch"), "/env"),
        (Place(variable="LD_PRELOAD"), "variables"),
        (Place(package="glibc"), "glibc"),
        (Place(path="/env", label="/env, running"), "/env, running"),
    ],
)
def test_places_are_written_in_one_way(place, text):
    assert place.text == text
