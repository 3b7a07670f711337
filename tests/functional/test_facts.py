"""Measured facts beside torch: what they decide, what the lock records, and when it is out of date."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from rdna1_lock import toml
from rdna1_lock.errors import NoSolutionError
from rdna1_lock.lock.read import lock_from_toml
from rdna1_lock.resolution.resolve import resolve
from rdna1_lock.rules import load, load_rules
from rdna1_lock.rules.location import constraints_dir
from support.memory import RULES, make_request, make_sources
from support.server import Server
from support.universe import fill

TORCH = {"torch": {"1.13.1+rocm5.2": {"tags": ["cp310-cp310-linux_x86_64"]}}}
ZEBRA = """
schema = 1
package = "zebra"
declared = "nothing"

[[runs]]
torch = "1.13.1"
python = "3.10"
date = "2026-11-24"
by = "study"
ran = "one stripe"
works = ["1"]
fails = ["2"]
error = "2: AttributeError: module 'torch' has no attribute 'stripe'"
"""
FACT = """
[[facts]]
id = "A-zebra-{word}"
releases = "{releases}"
{bound}
why = "It was run."
evidence = ["reproduced"]
date = "2026-11-24"
sources = ["a run on a CPU"]
"""
NEEDS_TORCH_2 = FACT.format(
    word="torch", releases=">=2", bound='on = "<torch>"\nspecifier = ">=2.0"'
)


@pytest.fixture
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the rules whose only record is zebra's: a test may write others."""
    folder = Path(shutil.copytree(constraints_dir(), tmp_path / "constraints"))
    shutil.rmtree(folder / "applications")
    (folder / "applications").mkdir()
    (folder / "applications" / "zebra.toml").write_text(ZEBRA + NEEDS_TORCH_2)
    monkeypatch.setattr(load, "constraints_dir", lambda: folder)
    return folder / "applications"


@pytest.fixture
def lock(server: Server, run):
    """Lock requirements from a universe; returns the result and the versions."""

    def call(packages: dict, *arguments: str):
        server.indexes.clear()
        fill(server.index("main"), {"numpy": {"1.26.4": {}}, **packages})
        fill(server.index("rocm", kind="pytorch", absent=403), TORCH)
        options = ["--index-url", server.url("main"), "--rocm-index-url", server.url("rocm")]
        result = run("resolve", *options, "--no-catalogue", "--output-dir", "lock", *arguments)
        if result.status != 0:
            return result, {}
        data = toml.loads(Path("lock/pylock.toml").read_text())
        return result, {item["name"]: item["version"] for item in data["packages"]}

    return call


def written() -> dict:
    return toml.loads(Path("lock/pylock.toml").read_text())["tool"]["rdna1-lock"]


def test_what_the_lock_records(facts, lock):
    _, pins = lock({"zebra": {"1": {}, "2": {}}}, "torch", "zebra")
    assert pins["zebra"] == "1"
    assert written()["facts"].startswith("sha256:")
    assert "allow" not in written()["inputs"]
    _, pins = lock(
        {"zebra": {"1": {}, "2": {}}}, "torch", "zebra", "--allow", "A-zebra-torch", "-U"
    )
    assert pins["zebra"] == "2"
    assert written()["inputs"]["allow"] == ["A-zebra-torch"]
    data = toml.loads(Path("lock/pylock.toml").read_text())
    inputs = lock_from_toml(data, "pylock.toml").inputs
    assert (inputs.allow, inputs.facts) == (("A-zebra-torch",), written()["facts"])


def test_a_lock_without_a_measured_package_records_nothing(facts, lock):
    lock({"plain": {"1": {}}}, "torch", "plain")
    assert "facts" not in written()


def test_without_torch_no_record_is_read(facts, lock):
    (facts / "zebra.toml").write_text("this is not TOML")
    result, pins = lock({"zebra": {"1": {}, "2": {}}}, "zebra")
    assert (result.status, pins) == (0, {"zebra": "2"})
    result, _ = lock({"zebra": {"1": {}, "2": {}}}, "zebra", "torch")
    assert (result.status, result.code) == (3, "bad-rule-file")
    assert "constraints/applications/zebra.toml" in result.err


def test_an_unknown_fact_cannot_be_allowed(facts, lock):
    result, _ = lock({"zebra": {"1": {}}}, "torch", "zebra", "--allow", "A-zebra-x")
    assert (result.status, result.code) == (2, "unknown-fact")


def test_allowing_what_is_not_in_the_lock_is_told(facts, lock):
    result, _ = lock({"zebra": {"1": {}, "2": {}}}, "torch", "--allow", "A-zebra-torch")
    assert "--allow A-zebra-torch has no effect" in result.err


def test_allowing_beside_no_torch_is_told(facts, lock):
    result, _ = lock({"zebra": {"1": {}, "2": {}}}, "zebra", "--allow", "A-zebra-torch")
    assert "--allow A-zebra-torch has no effect: the lock has no torch" in result.err


def test_names_and_ids_are_read_as_people_write_them(run):
    for name in ("Sentence_Transformers", "transformers[torch]", "a-Diffusers-torch", "YOLO"):
        assert run("rules", name).status == 0, name
    assert "did you mean diffusers?" in run("rules", "diffuser").err


def test_a_fact_about_another_package_names_what_it_needs(facts, lock):
    (facts / "zebra.toml").write_text(
        ZEBRA
        + NEEDS_TORCH_2
        + FACT.format(word="stable", releases="<3", bound='on = "stable"\nspecifier = "<2"')
    )
    result, _ = lock(
        {"zebra": {"1": {}}, "stable": {"1": {}, "2": {}}}, "torch", "zebra", "stable>=2"
    )
    assert result.status == 1
    assert "take stable<2; to overrule the fact: --allow A-zebra-stable" in " ".join(
        result.err.split()
    )
    assert "official wheels" not in result.err


def test_facts_about_other_packages_leave_a_lock_up_to_date(facts, lock):
    universe = {"zebra": {"1": {}, "2": {}}}
    lock(universe, "torch", "zebra")
    other = (ZEBRA + NEEDS_TORCH_2).replace("zebra", "okapi")
    (facts / "okapi.toml").write_text(other)
    result, _ = lock(universe, "torch", "zebra", "--check")
    assert "is up to date" in result.err
    # Nor does another measurement of the same package, as long as no bound moves.
    more = (ZEBRA + NEEDS_TORCH_2).replace('works = ["1"]', 'works = ["0.9", "1"]')
    (facts / "zebra.toml").write_text(more)
    result, _ = lock(universe, "torch", "zebra", "--check")
    assert "is up to date" in result.err


def test_a_new_fact_makes_the_locks_of_its_package_out_of_date_and_moves_the_pin(facts, lock):
    (facts / "zebra.toml").unlink()
    universe = {"zebra": {"1": {}, "2": {}}}
    _, pins = lock(universe, "torch", "zebra")
    assert pins["zebra"] == "2"
    (facts / "zebra.toml").write_text(ZEBRA + NEEDS_TORCH_2)
    result, _ = lock(universe, "torch", "zebra", "--check")
    assert (result.status, result.code) == (1, "lock-out-of-date")
    assert "~ zebra 2 -> 1" in result.err
    assert "facts: those about its packages" in result.err
    result, pins = lock(universe, "torch", "zebra")
    assert pins["zebra"] == "1"
    assert "zebra 1, newest 2: It was run. (A-zebra-torch); the lock had 2" in result.err


def test_what_is_needed_and_not_declared_is_locked(facts, lock):
    needs = FACT.format(word="hooves", releases="<2", bound='on = "hooves"\nspecifier = "<82"')
    (facts / "zebra.toml").write_text(ZEBRA + NEEDS_TORCH_2 + needs)
    universe = {"zebra": {"1": {}, "2": {}}, "hooves": {"81": {}, "82": {}}}
    _, pins = lock(universe, "torch", "zebra")
    assert pins == {
        "torch": "1.13.1+rocm5.2",
        "numpy": "1.26.4",
        "zebra": "1",
        "hooves": "81",
    }
    data = toml.loads(Path("lock/pylock.toml").read_text())
    [zebra] = [item for item in data["packages"] if item["name"] == "zebra"]
    assert zebra["dependencies"] == [{"name": "hooves"}]
    _, pins = lock(universe, "zebra", "-U")
    assert pins == {"zebra": "2"}


def test_a_bound_for_the_sake_of_a_part_yields(facts, lock):
    bound = 'on = "numpy"\nspecifier = "<1.24"\npart = "histograms"'
    part = FACT.format(word="numpy", releases="<2", bound=bound)
    (facts / "zebra.toml").write_text(ZEBRA + NEEDS_TORCH_2 + part)
    universe = {"zebra": {"1": {}}, "numpy": {"1.23.5": {}, "1.26.4": {}}}
    _, pins = lock(universe, "torch", "zebra")
    assert pins["numpy"] == "1.23.5"
    result, pins = lock(universe, "torch", "zebra", "numpy>=1.26", "-U")
    assert pins["numpy"] == "1.26.4"
    assert "zebra 1 runs only in part, without histograms" in result.err


def test_what_needs_cuda_is_refused_with_the_way_out(facts, lock):
    cuda = FACT.format(word="cuda", releases=">=0", bound='cuda = true\nremedy = "Use a horse."')
    record = ZEBRA.replace('works = ["1"]\n', "").replace('"2"]', '"1", "2"]')
    (facts / "zebra.toml").write_text(record + cuda)
    result, _ = lock({"zebra": {"1": {}, "2": {}}}, "torch", "zebra")
    assert (result.status, result.code) == (1, "no-solution")
    text = " ".join(result.err.split())
    assert "zebra 1 and 2 needs a CUDA build of torch (fact A-zebra-cuda)" in text
    assert "hint: Use a horse; to overrule the fact: --allow A-zebra-cuda" in text
    _, pins = lock({"zebra": {"1": {}, "2": {}}}, "zebra")
    assert pins == {"zebra": "2"}


def test_json_has_typed_values(facts, lock):
    lock({"zebra": {"1": {}, "2": {}}, "okapi": {"1": {}}}, "torch", "zebra", "okapi")
    result, _ = lock(
        {"zebra": {"1": {}, "2": {}}, "okapi": {"1": {}}}, "torch", "zebra", "okapi", "-U", "--json"
    )
    data = json.loads(result.out)
    [held] = data["held-back"]
    assert (held["name"], held["locked"], held["newest"]) == ("zebra", "1", "2")
    assert (held["by"], held["moved-from"]) == (["A-zebra-torch"], None)
    assert data["unmeasured"] == [{"package": "okapi", "version": "1", "newest": None}]


def test_a_refused_release_costs_no_metadata(facts, lock, server):
    newer = {str(number): {} for number in range(2, 30)}
    lock({"zebra": {"1": {}, **newer}}, "torch", "zebra")
    asked = [path for path in server.paths() if "zebra-" in path]
    assert not [path for path in asked if "zebra-2" in path and "zebra-29" not in path]


versions = st.lists(
    st.sampled_from(["4.30.2", "4.47.1", "4.48.0", "4.49.0", "4.50.0", "5.20.2"]),
    min_size=1,
    unique=True,
)


@settings(max_examples=150)
@given(
    transformers=versions,
    demand=st.sampled_from(["", "<4.48", ">=4.48", "==4.49.0", ">=4.50", "!=4.47.1"]),
    through=st.booleans(),
    asked=st.sampled_from([["torch"], ["zebra"], [], ["zebra", "torch"]]),
)
def test_a_lock_never_breaks_a_fact_that_was_not_allowed(transformers, demand, through, asked):
    universe = {
        "transformers": {version: [] for version in transformers},
        "okapi": {"1": [f"transformers{demand}"]},
        "zebra": {"1": ["torch"], "2": ["torch>=2"], "3": ["nothing"]},
        "numpy": {"1.26.4": []},
    }
    asked = [*asked, "okapi" if through else f"transformers{demand}"]
    fits = [v for v in map(Version, transformers) if v in SpecifierSet(demand)]
    try:
        found = resolve(
            make_request(asked), make_sources(universe, {"torch": {"1.13.1+rocm5.2": []}}), RULES
        )
    except NoSolutionError:
        beside = bool({"torch", "zebra"} & set(asked))
        assert not [v for v in fits if not beside or v < Version("4.50")]
        return
    pins = {str(pin.wheel.name): pin.wheel.version for pin in found.pins}
    if "torch" not in pins:
        assert pins["transformers"] == max(fits)
        return
    hard = list(RULES.applications.facts("transformers", pins["transformers"]))
    assert all(fact.part for fact in hard)
    # The preference holds wherever there is a choice.
    if any(v < Version("4.48") for v in fits):
        assert not hard


def test_every_fact_about_a_measured_torch_names_its_run():
    for record in load_rules().applications.all():
        for fact in record.facts:
            if "reproduced" in {kind.value for kind in fact.evidence}:
                assert record.runs, fact.id


def test_one_recipe_a_lock(run):
    result = run("resolve", "--for", "yolo", "--for", "audio")
    assert (result.status, result.code) == (2, "options-clash")
    assert "yolo and audio" in result.err
