"""``certificate.json``: an in-toto statement about the lock, made from the report and nothing else.

in-toto Statement v1: ``_type``, ``subject`` (each with a ``digest``), ``predicateType`` and
``predicate``. The predicate is test-result v0.1: ``result`` is PASSED, WARNED or FAILED, and
``configuration`` lists, as resource descriptors, what the tests were run with. Its strict parser
refuses fields of our own, so whatever it has no field for is in ``configuration``, by digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.strictjson import dump, sha256
from rdna1_lock.certify.proof.verdict import Verdict
from rdna1_lock.certify.run import suite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.certify.proof.verdict import Judgement

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def build_statement(
    report: Mapping[str, Any], report_bytes: bytes, lock_sha256: str, found: Judgement
) -> bytes:
    """Return the bytes of the certificate; the same report gives the same bytes.

    Anything but a certificate says so at its start, in the subject's name: Statement v1 leaves the
    meaning of ``name`` to producer and consumer, and matches artifacts by ``digest`` alone.
    """
    name = "pylock.toml"
    if found.verdict is not Verdict.CERTIFIED:
        name = f"{found.verdict.value}: {name}"
    hardware = report["hardware"]
    cards = [gpu for gpu in hardware["gpus"] if gpu["slot"] == hardware["selected"]]
    card = cards[0] if cards else {}
    annotations = {
        "verdict": found.verdict.value,
        "gfx": card.get("gfx") or "none",
        "name": card.get("name") or "none",
        "pci": f"1002:{card['device'][2:]}" if card else "none",
        "kernel_series": report["host"]["kernel_series"],
    }
    return dump(
        {
            "subject": [{"name": name, "digest": {"sha256": lock_sha256}}],
            "_type": STATEMENT,
            "predicateType": PREDICATE,
            "predicate": {
                "result": found.result,
                "configuration": [
                    {
                        "name": "report.json",
                        "digest": {"sha256": sha256(report_bytes)},
                        "mediaType": "application/json",
                    },
                    {
                        "name": "suite",
                        "uri": suite.URI,
                        "digest": {"sha256": report["suite"]["sha256"]},
                    },
                    {
                        "name": "hardware",
                        "digest": {"sha256": sha256(dump(hardware))},
                        "annotations": annotations,
                    },
                    {
                        "name": "environment",
                        "digest": {"sha256": sha256(dump(report["environment"]))},
                    },
                ],
                "passedTests": list(found.passed),
                "warnedTests": list(found.warned),
                "failedTests": list(found.failed),
            },
        }
    )
