"""``report.html``: one file without scripts or external resources, for screens and print."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rdna1_lock.certify.proof.report import card_of
from rdna1_lock.certify.proof.signature import NAMESPACE
from rdna1_lock.certify.show.plot import time_plot
from rdna1_lock.certify.show.summary import (
    OLD_HANG,
    ablation_words,
    card_words,
    facts,
    failures,
    headline,
    milliseconds,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.certify.proof.verdict import Judgement


def render_page(report: Mapping[str, Any], found: Judgement) -> str:
    """Return the page of a report; the same report gives the same bytes."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    folder = files("rdna1_lock.certify.show")
    style = folder.joinpath("page.css").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=False, keep_trailing_newline=True
    )
    environment.filters["capfirst"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["ms"] = milliseconds
    environment.filters["two"] = lambda value: "" if value is None else f"{value:.2f}"
    template = environment.from_string(folder.joinpath("page.html.j2").read_text("utf-8"))
    listed = rows(report, found)
    drawn = time_plot(listed)
    card = card_of(report)
    return template.render(
        report=report,
        judgement=found,
        verdict=found.verdict.value,
        headline=headline(found, stopped=bool(report["stopped"])),
        card=card_words(report),
        rows=listed,
        plot=Markup(drawn) if drawn else None,  # noqa: S704  # numbers and words of our own
        others=_others(found),
        facts=facts(report),
        firmware=_firmware(card, report["host"]),
        ablation=ablation_words(report),
        failures=failures(report, found),
        old_hang=OLD_HANG,
        namespace=NAMESPACE,
        style=Markup(style),  # noqa: S704  # a file of this package
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _others(found: Judgement) -> list[tuple[str, str, str]]:
    named = {
        "hardware/rdna1-through-kfd": "an RDNA1 card, as the kernel shows it",
        "environment/exactly-the-lock": "every installed file as locked",
        "environment/variables-of-the-lock": "the lock's variables",
        "suite/complete": "the complete suite",
        "shared-process/all-cases": "all cases in one process",
        "numpy/round-trip": "arrays to and from numpy",
        "torchvision/nms": "torchvision's own operators",
    }
    listed = []
    for status, names in (
        ("passed", found.passed),
        ("warned", found.warned),
        ("failed", found.failed),
    ):
        listed += [
            (named[name], status, found.reasons.get(name, "")) for name in names if name in named
        ]
    return listed


def _firmware(card: Mapping[str, Any], host: Mapping[str, Any]) -> list[tuple[str, str]]:
    listed = [
        ("VBIOS", card.get("vbios")),
        ("memory", f"{card['vram'] / 2**30:.1f} GiB" if card.get("vram") else None),
        ("link", card.get("link")),
        ("compute units", (card.get("simd_count") or 0) // 2 or None),
    ]
    listed += [(f"firmware {name}", text) for name, text in (card.get("firmware") or {}).items()]
    listed += [(f"amdgpu.{name}", text) for name, text in host["amdgpu"].items()]
    return [(name, str(value)) for name, value in listed if value]
