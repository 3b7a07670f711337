"""Evidence to verdict to statement: what is right passes, and nothing else does."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path

import pytest

from rdna1_lock.certify.proof.judge import judge
from rdna1_lock.certify.proof.scrub import Identity, Scrubber, identify
from rdna1_lock.certify.proof.statement import build_statement
from rdna1_lock.certify.proof.strictjson import dump, load
from rdna1_lock.certify.proof.verdict import Verdict
from rdna1_lock.certify.run import suite
from rdna1_lock.certify.run.miopen_log import MiopenLog
from rdna1_lock.certify.show.comparison import as_text as comparison_text
from rdna1_lock.certify.show.comparison import compare_reports
from rdna1_lock.certify.show.markdown import as_markdown
from rdna1_lock.certify.show.page import render_page
from rdna1_lock.certify.show.text import as_text
from rdna1_lock.errors import IntegrityError
from rdna1_lock.guard.outcome import Outcome, Record
from rdna1_lock.host.system import look_at_host
from rdna1_lock.lock.read import read_lock
from rdna1_lock.rules import load_gpus
from support import sysfs
from support.evidence import LOCK, SLOT, make_report
from support.sysfs import make_machine

CASE = "conv2d/1x3x44-64/find"
ENV = read_lock(LOCK).env


def again(report, **options):
    return judge(report, suite.digests(), ENV, **{"vision": True, **options})


@pytest.fixture
def good(tmp_path):
    report, found = make_report(tmp_path)
    assert found.verdict is Verdict.CERTIFIED
    return report


def test_a_good_run_is_certified(tmp_path):
    report, found = make_report(tmp_path)
    assert next(iter(report)) == "verdict"
    assert report["verdict"] == "certified"
    assert (found.result, found.failed, found.warned) == ("PASSED", (), ())
    assert len(found.passed) == 2 * len(suite.cases()) + 7
    assert as_text(report, found).startswith("certified: 72 of 72")


def test_the_suite_holds_the_sizes_of_the_report_and_its_digests():
    names = [case.id for case in suite.cases()]
    assert len(names) == len(set(names)) == 36
    for size in (32, 40, 42, 44, 48, 56, 64, 128, 224, 512):
        assert f"conv2d/1x3x{size}-64/immediate" in names
        assert f"conv2d/1x3x{size}-64/find" in names
    assert any("1x16x" in name and "-32" in name for name in names)
    assert any(name.startswith("conv2d/8x64x") for name in names)
    assert set(suite.digests()) == {case.key for case in suite.cases()}


def tensor(report, name):
    return report["cases"][CASE]["measured"]["tensors"][name]


def drop_case(report):
    del report["cases"][CASE]


FAULTS = {
    "another digest": lambda r: tensor(r, "y").update(sha256="0" * 64),
    "off an integer": lambda r: tensor(r, "dx").update(max_off=0.25),
    "error above the bound": lambda r: tensor(r, "dw").update(k=64.1),
    "relative error": lambda r: tensor(r, "dw").update(rel_l2=2.1e-5),
    "not finite": lambda r: tensor(r, "db").update(finite=False),
    "missing tensor": lambda r: r["cases"][CASE]["measured"]["tensors"].pop("db"),
    "wrong shape": lambda r: r["cases"][CASE]["measured"]["tensors"].update(y={"shape": [1]}),
    "adjoint": lambda r: r["cases"][CASE]["measured"].update(adjoint=[1.0, 1.0, 2.0]),
    "no adjoint": lambda r: r["cases"][CASE]["measured"].pop("adjoint"),
    "error as text": lambda r: tensor(r, "y").update(k="0.1"),
    "error true": lambda r: tensor(r, "y").update(k=True),
    "huge negative": lambda r: tensor(r, "y").update(rel_l2=-1e999),
    "no measurement": lambda r: r["cases"][CASE].update(measured=None),
    "a hang": lambda r: r["cases"][CASE].update(outcome="hang", phase="first"),
    "an outcome of its own": lambda r: r["cases"][CASE].update(outcome="fine"),
    "not run": lambda r: r["cases"][CASE].update(outcome="not_run", why="2 hangs in a row"),
    "shared differs": lambda r: r["shared"]["cases"][CASE]["tensors"]["y"].update(sha256="1" * 64),
    "shared lacks a case": lambda r: r["shared"]["cases"].pop(CASE),
    "shared hung": lambda r: r["shared"].update(outcome="hang"),
    "numpy": lambda r: r["numpy"]["steps"].update(numpy="RuntimeError: Numpy is not available"),
    "numpy did not run": lambda r: r.update(numpy={"outcome": "segfault"}),
    "torchvision": lambda r: r["vision"].update(kept=[0, 1, 2]),
    "torchvision did not run": lambda r: r.update(vision=None),
}
NO_CERTIFICATE = {
    "a case is missing": (drop_case, Verdict.PARTIAL),
    "the machine slept": (
        lambda r: r["cases"][CASE].update(outcome="inconclusive_suspended"),
        Verdict.INCONCLUSIVE,
    ),
    "no card": (lambda r: r["hardware"].update(gpus=[]), Verdict.REHEARSAL),
    "no card chosen": (lambda r: r["hardware"].update(selected=None), Verdict.REHEARSAL),
    "RDNA2": (
        lambda r: r["hardware"]["gpus"][0].update(gfx_target_version=100300),
        Verdict.REHEARSAL,
    ),
    "no KFD": (
        lambda r: r["hardware"]["gpus"][0].update(gfx_target_version=None),
        Verdict.REHEARSAL,
    ),
    "the processor": (lambda r: r["device"].update(kind="cpu"), Verdict.REHEARSAL),
    "CUDA": (lambda r: r["device"].update(kind="cuda"), Verdict.REHEARSAL),
    "another slot": (lambda r: r["device"].update(slot="0000:10:00.0"), Verdict.REHEARSAL),
    "environment": (lambda r: r["environment"].update(exact=False), Verdict.REHEARSAL),
    "exact is a word": (lambda r: r["environment"].update(exact="yes"), Verdict.REHEARSAL),
    "other variables": (
        lambda r: r["environment"]["variables"].update(MIOPEN_DEBUG_CONV_GEMM="0"),
        Verdict.REHEARSAL,
    ),
    "asked for": (lambda r: r.update(rehearsal=True), Verdict.REHEARSAL),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails(good, fault):
    FAULTS[fault](good)
    found = again(good)
    assert found.verdict is Verdict.FAILED, found
    assert found.result == "FAILED"
    assert found.failed
    assert set(found.failed) <= set(found.reasons)
    assert not found.sweep_passed


@pytest.mark.parametrize("what", NO_CERTIFICATE)
def test_what_is_no_certificate_is_called_otherwise(good, what):
    change, verdict = NO_CERTIFICATE[what]
    change(good)
    found = again(good)
    assert found.verdict is verdict
    assert found.result == "FAILED"
    statement = json.loads(build_statement(good, dump(good), "0" * 64, found))
    assert statement["subject"][0]["name"] == f"{verdict.value}: pylock.toml"
    assert statement["predicate"]["result"] == "FAILED"
    assert as_text(good, found).split()[0].strip(":,") == verdict.value
    assert as_markdown(good, found).lower().startswith(f"**{verdict.value}")


def test_one_gpu_whose_slot_the_runtime_does_not_say(good):
    good["device"]["slot"] = None
    assert again(good).verdict is Verdict.CERTIFIED
    good["hardware"]["gpus"].append({**good["hardware"]["gpus"][0], "slot": "x", "index": 1})
    assert again(good).verdict is Verdict.REHEARSAL


@pytest.mark.parametrize("outcome", ["teardown_hang", "crash_after_result", "error_after_result"])
def test_good_numbers_with_a_bad_end_are_a_remark(good, outcome):
    good["cases"][CASE]["outcome"] = outcome
    found = again(good)
    assert (found.verdict, found.result) == (Verdict.CERTIFIED, "WARNED")
    assert found.warned == (f"{CASE}/forward", f"{CASE}/backward")


def test_a_transform_algorithm_is_a_remark(good):
    tensor(good, "y")["k"] = 30.7
    found = again(good)
    assert (found.result, found.warned) == ("WARNED", (f"{CASE}/forward",))


@pytest.mark.parametrize("value", [None, [], "x", 1, {"a": 1}])
@pytest.mark.parametrize("key", ["cases", "shared", "hardware", "device", "environment", "suite"])
def test_evidence_of_any_form_is_judged(good, key, value):
    good[key] = value
    assert again(good).verdict is not Verdict.CERTIFIED


def test_the_same_evidence_gives_the_same_bytes(tmp_path):
    report, found = make_report(tmp_path)
    other = json.loads(dump(report))
    assert dump(other) == dump(report)
    one, two = (build_statement(r, dump(r), "0" * 64, found) for r in (report, other))
    assert one == two
    assert render_page(report, found) == render_page(other, again(other))


def test_in_totos_strict_parser_takes_the_statement(good):
    from google.protobuf import json_format
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement

    found = again(good)
    data = json.loads(build_statement(good, dump(good), "0" * 64, found))
    parsed = json_format.ParseDict(data, statement_pb2.Statement(), ignore_unknown_fields=False)
    Statement.copy_from_pb(parsed).validate()
    predicate = json_format.ParseDict(
        data["predicate"], test_result_pb2.TestResult(), ignore_unknown_fields=False
    )
    assert predicate.result == "PASSED"
    assert len(predicate.passed_tests) == len(found.passed)
    assert {d.name for d in predicate.configuration} >= {"report.json", "suite", "hardware"}
    assert all(d.uri or d.digest for d in predicate.configuration)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"x": {"b": 1, "b": 1}}',
        '{"a": NaN}',
        '{"a": Infinity}',
        "[]",
        "{",
        "\xff",
        "[" * 100_000,
        '{"a": 1} trailing',
    ],
)
def test_json_that_two_readers_could_read_in_two_ways_is_refused(text):
    with pytest.raises(IntegrityError):
        load(text.encode("latin-1"), "certificate.json")


def test_names_and_paths_of_the_machine_are_taken_out(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "jdoes-box")
    jdoe = identify({"HOME": "/home/jdoe", "USER": "jdoe"})
    assert jdoe == Identity(home=Path("/home/jdoe"), user="jdoe", host="jdoes-box")
    scrub = Scrubber(Path("/home/jdoe/envs/torch"), Path("/srv/locks/mine"), identity=jdoe)
    data = {
        "/home/jdoe/envs/torch/lib/libMIOpen.so": [
            'File "/home/jdoe/envs/torch/lib/python3.10/x.py", line 3',
            "user jdoe on jdoes-box, /home/jdoe/.cache and /home/other/x, /srv/locks/mine/wheels",
        ]
    }
    assert scrub.all(data) == {
        "$ENV/lib/libMIOpen.so": [
            'File "$ENV/lib/python3.10/x.py", line 3',
            "user $USER on $HOST, ~/.cache and ~/x, $LOCK/wheels",
        ]
    }
    relative = Scrubber(Path("env"), Path("lock"), identity=jdoe)
    assert relative.all({"environment": "env, lock"}) == {"environment": "env, lock"}
    assert relative.text(f"{Path('env').absolute()}/bin") == "$ENV/bin"
    kept = "jdoette stays; torch/lib/libMIOpen.so; ConvBinWinogradRxSf3x2"
    assert scrub.text(kept) == kept


def test_the_page_is_inert_and_shows_what_matters(tmp_path):
    evil = "<script>alert(1)</script>"

    def change(evidence):
        evidence.isolated[CASE] = Record(
            name=CASE, outcome=Outcome.HANG, phase="first", stacks=evil, stderr="'\"&" + evil,
            hang={"phase": "first", "case": None, "waited": 300.0, "heartbeat_age": 0.2,
                  "children": [], "busy_threads": 1, "states": {"R": 1}, "threads": []},
        )  # fmt: skip

    report, found = make_report(tmp_path, change=change)
    page = render_page(report, found)
    assert found.verdict is Verdict.FAILED
    assert "<title>Failed: 70 of 72" in page
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "http://" not in page
    assert 'style="' not in page
    for words in ("RX 5600 XT", "gfx1010", "44×44", "ConvBinWinogradRxSf3x2", "2.17.0", SLOT[5:7]):
        assert words in page
    assert "hang in phase first" in page


def test_a_good_page_is_small_and_draws_the_times(tmp_path):
    page = render_page(*make_report(tmp_path))
    assert page.count("<svg") == 1
    assert "where the old report hung" in page
    assert len(page) < 40_000


def test_markdown_holds_the_evidence_and_cannot_break_out(tmp_path):
    def change(evidence):
        evidence.isolated[CASE] = Record(
            name=CASE, outcome=Outcome.SEGFAULT, phase="first", stacks="line\n```\n# injected"
        )

    report, found = make_report(tmp_path, change=change)
    text = as_markdown(report, found)
    assert "segfault in phase first" in text
    assert text.count("```") % 2 == 0
    assert "'''\n# injected" in text


def test_a_comparison_shows_the_environment_first(tmp_path, good):
    other = copy.deepcopy(good)
    other["host"]["kernel"] = "6.14.0-34"
    other["cases"][CASE]["measured"]["time"]["warm_forward"] *= 2
    found = compare_reports(good, other)
    assert found["differ"] == {"host.kernel": ["6.8.0-45", "6.14.0-34"]}
    assert found["ratios"][CASE]["warm_forward"] == 2.0
    text = comparison_text(found, ("a", "b"))
    assert text.index("host.kernel") < text.index(CASE)


def test_ablation_says_which_variables_matter(tmp_path):
    def change(evidence):
        aborted = Record(name="x", outcome=Outcome.ABORT, phase="device")
        evidence.ablation = {
            "HSA_OVERRIDE_GFX_VERSION": aborted,
            "MIOPEN_DEBUG_CONV_IMPLICIT_GEMM": evidence.shared,
        }

    report, found = make_report(tmp_path, change=change)
    text = as_text(report, found)
    assert "HSA_OVERRIDE_GFX_VERSION matters: without it the sweep ends as abort" in text
    assert "MIOPEN_DEBUG_CONV_IMPLICIT_GEMM makes no difference" in text


# Lines in MIOpen 2.17's form: `MIOpen(HIP): <Level> [<function>] <text>`.
LOG = b"""\
rdna1-lock case conv2d/1x3x44-64/immediate
MIOpen(HIP): Info [AmdRocmMetadataVersionDetect] ROCm MD version AMDHSA_COv3, HIP version 5.2.21151, MIOpen version 2.17.0.
MIOpen(HIP): Info [get_device_name] Raw device name: gfx1030
MIOpen(HIP): Info [ConvolutionForwardImmediate] solver_id = ConvDirectNaiveConvFwd, workspace = 0
MIOpen(HIP): Info [ConvolutionBackwardImmediate] solver_id = ConvDirectNaiveConvBwd, workspace = 0
MIOpen(HIP): Info [ConvolutionWrwImmediate] solver_id = GemmWrwUniversal, workspace = 209088
rdna1-lock case conv2d/1x3x44-64/find
MIOpen(HIP): Info [GetFindModeValueImpl] MIOPEN_FIND_MODE = DYNAMIC_HYBRID(5)
MIOpen(HIP): Info2 [SearchForSolutions] ConvHipImplicitGemmV4R4Fwd: Skipped (non-dynamic)
MIOpen(HIP): Info [FindConvFwdAlgorithm] FW Chosen Algorithm: ConvBinWinogradRxSf3x2 , 0, 0.0351111
MIOpen(HIP): Info [FindConvBwdDataAlgorithm] BWD Chosen Algorithm: ConvBinWinogradRxSf2x3 , 0, 0.04
MIOpen(HIP): Info [FindConvBwdWeightsAlgorithm] BWrW Chosen Algorithm: GemmWrwUniversal , 209088, 0.0712
MIOpen(HIP): Info [FindConvFwdAlgorithm] FW Chosen Algorithm: Later , 0, 1
"""


SOLVERS = {
    "conv2d/1x3x44-64/immediate": {
        "forward": "ConvDirectNaiveConvFwd",
        "backward-data": "ConvDirectNaiveConvBwd",
        "backward-weights": "GemmWrwUniversal",
    },
    "conv2d/1x3x44-64/find": {
        "forward": "ConvBinWinogradRxSf3x2",
        "backward-data": "ConvBinWinogradRxSf2x3",
        "backward-weights": "GemmWrwUniversal",
    },
}


@pytest.mark.parametrize("step", [1, 7, 4096])
def test_miopens_log_is_read_in_pieces_of_any_size(step):
    log = MiopenLog()
    for start in range(0, len(LOG), step):
        log.feed(LOG[start : start + step])
    assert log.to_json() == {
        "miopen": "2.17.0",
        "find_mode": "DYNAMIC_HYBRID",
        "device": "gfx1030",
        "cases": SOLVERS,
    }


def test_miopens_log_counts_for_a_case_only():
    """What comes before the first case, or is not MIOpen's, names no solver."""
    log = MiopenLog()
    chosen = b"MIOpen(HIP): Info [FindConvFwdAlgorithm] FW Chosen Algorithm: Early , 0, 1\n"
    log.feed(chosen + b"rdna1-lock case c\nFW Chosen Algorithm: Other , 0, 1\n" + chosen[:-1])
    assert log.to_json()["cases"] == {}
    log.feed(b"\n")
    assert log.to_json()["cases"] == {"c": {"forward": "Early"}}


def test_another_machine_without_a_card_can_only_rehearse(tmp_path):
    machine = make_machine(tmp_path / "other", [sysfs.RX_6800])
    host = dataclasses.replace(look_at_host(load_gpus(), machine.root, kernel="6.8"))
    report, found = make_report(tmp_path, host=host)
    assert found.verdict is Verdict.REHEARSAL
    assert report["hardware"]["selected"] is None
