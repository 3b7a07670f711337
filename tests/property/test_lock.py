"""Emit, then read, is identity: what is written says all that the lock says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from rdna1_lock import toml
from rdna1_lock.emit.pylock import emit_pylock
from rdna1_lock.emit.requirements import emit_requirements
from rdna1_lock.lock.build import build_lock, make_inputs
from rdna1_lock.lock.read import lock_from_toml, preferences
from rdna1_lock.resolution.resolve import resolve
from support.memory import RULES, make_request, make_sources

UNIVERSE = {
    "numpy": {"1.26.4": [], "2.0.0": []},
    "a": {"1": ["b"], "2!1.0.post1": ["b[x]"]},
    "b": {"1.0rc1": [], "0.9": ["numpy"]},
    "typing-extensions": {"4.12.0": []},
}
ROCM = {
    "torch": {"1.13.1+rocm5.2": ["typing-extensions"]},
    "torchvision": {"0.14.1+rocm5.2": ["torch==1.13.1", "numpy"]},
}
asked = st.lists(
    st.sampled_from(
        [
            "a",
            "a<2",
            "b",
            "numpy",
            "torch",
            "torchvision",
            "b>=0.1; python_version > '3'",
            "A[extra]",
        ]
    ),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(
    asked=asked,
    portable=st.booleans(),
    index=st.sampled_from(["https://index.example/simple", "https://mirror.example/%C3%A4/simple"]),
    prereleases=st.booleans(),
    limit=st.none() | st.datetimes(timezones=st.just(timezone.utc), min_value=datetime(2000, 1, 1)),  # noqa: DTZ001
    gfx=st.sampled_from([("gfx1010",), ("gfx1010", "gfx1012")]),
)
def test_emit_then_read_is_identity(asked, portable, index, prereleases, limit, gfx):
    request = replace(make_request(asked), prereleases=prereleases, gfx=gfx)
    found = resolve(request, make_sources(UNIVERSE, ROCM), RULES)
    request = replace(request, exclude_newer=limit)
    inputs = make_inputs(request, RULES, portable=portable, index=index)
    lock = build_lock(found, request, inputs, RULES)
    text = emit_pylock(lock)
    again = lock_from_toml(toml.loads(text), "pylock.toml")
    assert again.inputs == lock.inputs
    assert again.env == dict(lock.env)
    assert again.nix == dict(lock.nix)
    assert emit_pylock(again) == text
    assert emit_requirements(again) == emit_requirements(lock)
    assert {name: pin.version for name, pin in preferences(again).items()} == {
        pin.wheel.name: str(pin.wheel.version) for pin in found.pins
    }
