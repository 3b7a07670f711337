from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from rdna1_lock import toml
from rdna1_lock.errors import InputError, UsageError
from rdna1_lock.rules import (
    ALLOWED,
    Rejected,
    load_catalogue,
    load_gpus,
    load_known,
    load_recipe,
    load_rules,
    load_stack,
    rules_digest,
    stack_ids,
)
from rdna1_lock.rules.applications import read_application
from rdna1_lock.rules.location import constraints_dir
from rdna1_lock.rules.model import gfx_version

FOLDER = constraints_dir()
SCHEMA = json.loads((FOLDER / "schema.json").read_text())
FILES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.toml"))


def check(name: str, data: object) -> None:
    one_of = {"stacks": "stack", "applications": "application", "recipes": "recipe"}
    key = one_of.get(name.partition("/")[0], name)
    jsonschema.validate({key: data}, SCHEMA, cls=jsonschema.Draft202012Validator)


def load(name: str, folder: Path) -> object:
    match name.split("/"):
        case ["rules.toml"] | ["torch.toml"] | ["checks.toml"]:
            return load_rules(folder)
        case ["known.toml"]:
            return load_known(folder)
        case ["gpus.toml"]:
            return load_gpus(folder)
        case ["catalogue", _]:
            return load_catalogue(folder)
        case ["applications", _]:
            return read_application(folder / name)
        case ["recipes", _]:
            return load_recipe(Path(name).stem, folder)
        case _:
            return load_stack(Path(name).stem, folder)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "constraints"))


@pytest.mark.parametrize("name", FILES)
def test_files_load_and_have_the_form_of_the_schema(name):
    check(name, toml.loads((FOLDER / name).read_text()))
    assert load(name, FOLDER)


def test_ids_are_in_order_and_never_used_again():
    ids = [rule.id for rule in load_rules().rules]
    assert ids == [f"R{number:02}" for number in range(1, len(ids) + 1)]


def test_env_and_known_tables_refer_to_rules_that_exist():
    ids = set(load_rules().by_id)
    for name in stack_ids():
        assert {variable.rule for variable in load_stack(name).env} <= ids


TRANSFORMERS = "applications/transformers.toml"
# (file, text to replace, by what, what the error must say)
BROKEN = [
    ("rules.toml", 'severity = "error"', 'severity = "bad"', "rules[1] (R01): `severity`"),
    ("rules.toml", 'date = "2026-11-22"\nwhy', "why", "rules[1] (R01): `date` is missing"),
    ("rules.toml", 'date = "2026-11-22"', 'date = "yesterday"', "YYYY-MM-DD"),
    ("rules.toml", 'evidence = ["reported"]', "evidence = []", "`evidence` is empty"),
    ("rules.toml", 'evidence = ["reported"]', 'evidence = ["rumour"]', "`evidence`"),
    ("rules.toml", 'id = "R02"', 'id = "R01"', "two rules have the id R01"),
    ("rules.toml", 'id = "R02"', 'id = "two"', "`id` must be R and two digits"),
    ("rules.toml", 'on = "<glibc>"', 'on = "<kernel>"', "no virtual package <kernel>"),
    ("rules.toml", 'specifier = "<2.41"', 'specifier = "older"', "`specifier`"),
    ("rules.toml", 'specifier = "<2.41"', "", "exactly one of"),
    ("rules.toml", 'title = "glibc', 'colour = "red"\ntitle = "glibc', "unknown key `colour`"),
    ("rules.toml", 'title = "glibc', 'title = 3 #"', "`title` must be a str"),
    ("rules.toml", "schema = 1", "schema = 2", "another version"),
    ("rules.toml", "schema = 1", "schema = [", "constraints/rules.toml"),
    ("torch.toml", 'rocm = "3.7", ', "", "builds[1]: `rocm` is missing"),
    ("known.toml", 'outcome = "works"', 'outcome = "maybe"', "known[1]: `outcome`"),
    ("gpus.toml", 'chip = "Navi 10"', "", "gpus[1] (0x7310): `chip` is missing"),
    ("catalogue/wheels.toml", 'sha256 = "f3', 'sha256 = "F3', "wheels[1] (torch-1.13.1+rocm5.2"),
    ("stacks/rocm5.2.toml", 'id = "rocm5.2"', 'id = "rocm5.3"', "not the name of the file"),
    (
        "stacks/rocm5.2.toml",
        'name = "ROCM_PATH"',
        'name = "rocm path"',
        "env[3] (rocm path): `name`",
    ),
    ("stacks/rocm5.2.toml", 'rocm = "==5.2"', "", "`rocm` is missing"),
    ("stacks/rocm5.2.toml", '"gfx1011"', '"gfx1030"', "no chip with the target gfx1030"),
    ("gpus.toml", 'chip = "Navi 10"', 'chip = "Navi 21"', "gpus[1] (0x7310): `chip`"),
    ("gpus.toml", "= 100100", '= "10.1.0"', "chips[1] (Navi 10): `gfx-target-version`"),
    ("torch.toml", '"torchaudio"]', '"torchtext"]', "`family`: no build has a column"),
    ("checks.toml", 'rule = "R05"', 'rule = "R99"', "checks[4] (R99): `rule`"),
    ("checks.toml", 'rule = "R05"', 'rule = "R04"', "two entries for the rule R04"),
    ("checks.toml", "line = ", "text = ", "commands.shell: `line` is missing"),
    ("checks.toml", "nix develop LOCK", "nix develop {0}", "braces may only name a field"),
    (
        "checks.toml",
        'tool = "pip"',
        'tool = "pip"\nbuild = "x"',
        "installers[1] (pip): unknown key",
    ),
    (TRANSFORMERS, 'id = "A-transformers-torch"', 'id = "B-1"', "facts[1] (B-1): `id`"),
    (TRANSFORMERS, 'releases = ">=4.50"', "", "`releases` is missing"),
    (TRANSFORMERS, 'on = "<torch>"', "cuda = true", "unknown key `specifier`"),
    (TRANSFORMERS, 'on = "<torch>"', "", "exactly one of `on`, `cuda`, `despite-extra`"),
    (TRANSFORMERS, 'on = "<torch>"', 'on = "Torch"', "`on`: 'Torch' is neither"),
    (TRANSFORMERS, '"4.47.1"', '"4.47.x"', "runs[1]: `works`"),
    (TRANSFORMERS, 'fails = ["4.50.0"', 'fails = ["4.47.9"', "4.47.9 fails with torch 1.13.1"),
    (TRANSFORMERS, '"4.47.1"', '"4.51.0"', "4.51.0 works with torch 1.13.1, and A-transformers"),
    (TRANSFORMERS, 'partly = ["4.48.0"', 'partly = ["4.46.0"', "a part of 4.46.0 fails"),
    (TRANSFORMERS, 'package = "transformers"', 'package = "torch"', "not the name of the file"),
    ("applications/safetensors.toml", "despite-extra = true", "despite-extra = false", "only be"),
]


# What spans entries or files, which a schema cannot see.
ACROSS = (
    "two rules",
    "two entries",
    "not the name",
    "no chip",
    "`chip`: there",
    "(0x7310): `chip`",
    "no build has",
    "`rule`",
    "1.13.1",
    "a part of",
)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"), BROKEN, ids=lambda value: str(value)[:24]
)
def test_a_broken_file_is_named_with_its_entry(copy, name, old, new, message):
    path = copy / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        load(name, copy)
    assert f"constraints/{name}: " in caught.value.message
    assert message in caught.value.message
    try:
        data = toml.loads(path.read_text())
    except toml.TOMLDecodeError:
        return
    # What the loader refuses the schema refuses as well, but for what only a reader can see.
    if any(words in message for words in ACROSS) or new == 'specifier = "older"':
        return
    with pytest.raises(jsonschema.ValidationError):
        check(name, data)


def test_a_missing_file_is_named(copy):
    (copy / "known.toml").unlink()
    with pytest.raises(InputError, match=r"constraints/known\.toml"):
        load_known(copy)


def test_unknown_stack_names_the_others():
    with pytest.raises(UsageError) as caught:
        load_stack("rocm9")
    assert ", ".join(stack_ids()) in (caught.value.hint or "")


def test_what_the_rules_make_torch_depend_on():
    found = load_rules().dependencies(NormalizedName("torch"), Version("1.13.1+rocm5.2"))
    assert {(on, str(specifier), rule) for on, specifier, rule in found} == {
        ("<glibc>", "<2.41", "R01"),
        ("<rocm>", "==5.2", "R02"),
        ("<python>", "<3.11,>=3.7", "R04"),
        ("numpy", "<2", "R05"),
        ("<gfx>", "==10.3.0", "R06"),
    }


def test_native_wheels_need_no_override():
    found = load_rules().dependencies(NormalizedName("torch"), Version("2.12.0+rocm7.14.0"))
    assert [(on, str(specifier)) for on, specifier, _ in found] == [("<rocm>", "==7.14.0")]


@pytest.mark.parametrize(
    "label", ["+cu117", "", "+cpu", "+xpu", "+rocm", "+rocm5.1.1", "+rocm10.0"]
)
def test_only_the_stacks_own_flavour_is_allowed(label):
    verdict = load_rules().judge_flavour("torch", Version("1.13.1" + label), load_stack("rocm5.2"))
    assert isinstance(verdict, Rejected)
    assert verdict.rule in {"R02", "R03"}


def test_the_right_flavour_is_allowed():
    stack = load_stack("rocm5.2")
    assert load_rules().judge_flavour("torch", Version("1.13.1+rocm5.2"), stack) is ALLOWED
    assert load_rules().judge_flavour("numpy", Version("1.26.4"), stack) is ALLOWED


def test_hashes_of_the_default_stack_are_those_that_public_files_state():
    known = {wheel.filename: wheel.sha256 for wheel in load_catalogue()}
    assert known["torch-1.13.1+rocm5.2-cp310-cp310-linux_x86_64.whl"] == (
        "f3685d08ac0d8c951cc367f9bd4b2c924c5d4517669c476807748abcd966136f"
    )
    assert known["torchvision-0.14.1+rocm5.2-cp310-cp310-linux_x86_64.whl"] == (
        "a01606fcaedb824c6ed14be6c92d94d6e7762e4150fc26ab731a4427dc733184"
    )
    assert known["torchaudio-0.13.1+rocm5.2-cp37-cp37m-linux_x86_64.whl"] is None


def test_navi_12_and_14_are_not_swapped():
    cards = load_gpus().cards
    assert (cards["0x7360"].chip.name, cards["0x7360"].chip.gfx) == ("Navi 12", "gfx1011")
    assert (cards["0x7340"].chip.name, cards["0x7340"].chip.gfx) == ("Navi 14", "gfx1012")
    assert cards["0x731f"].names["CA"] == "Radeon RX 5600 XT"


def test_targets_and_kfd_versions_are_the_same_chips():
    from rdna1_lock.host.gpus import gfx_name

    gpus = load_gpus()
    assert [gfx_name(version) for version in gpus.versions] == list(gpus.targets)
    assert load_rules().targets == gpus.targets
    assert {card.chip.gfx for card in gpus.cards.values()} == set(gpus.targets)


def test_digest_ignores_wording_and_notices_facts(copy):
    stack = load_stack("rocm5.2", copy)
    before = rules_digest(load_rules(copy), stack)
    path = copy / "rules.toml"
    path.write_text(path.read_text().replace("Ask for numpy<2", "Please ask for numpy<2"))
    assert rules_digest(load_rules(copy), stack) == before
    path.write_text(path.read_text().replace('specifier = "<2"', 'specifier = "<2.1"'))
    assert rules_digest(load_rules(copy), stack) != before


@pytest.mark.parametrize(
    ("name", "version"),
    [("gfx1010", "10.1.0"), ("gfx1030", "10.3.0"), ("gfx90a", "9.0.10"), ("gfx906", "9.0.6")],
)
def test_gfx_names_are_versions(name, version):
    assert gfx_version(name) == Version(version)
