"""Every universe in ``scenarios/`` is resolved over real HTTP, from both kinds of pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.pylock import Pylock

from rdna1_lock import toml
from support.server import Server
from support.universe import Scenario, load_scenarios, serve

STYLES = {
    "json": {"kind": "json", "metadata_files": True},
    "html": {"kind": "html", "hashes": True},
    "bare": {"kind": "html", "hashes": False, "ranges": False},
}


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("scenario", load_scenarios(), ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario, style: str, server: Server, run, tmp_path: Path):
    data = scenario.data
    if style != "json" and any(
        "uploaded" in facts
        for versions in data.get("packages", {}).values()
        for facts in versions.values()
    ):
        pytest.skip("HTML pages have no upload times")
    options = serve(server, scenario, **STYLES[style])
    output = Path("pylock.toml")
    arguments = ["resolve", *scenario.arguments, *options, "--output", output]
    if "constraints" in data:
        Path("constraints.txt").write_text("\n".join(data["constraints"]))
        arguments += ["-c", "constraints.txt"]
    if "locked" in data:
        pins = [f"{name}=={version}" for name, version in data["locked"].items()]
        first = run(*arguments, *pins)
        assert first.status == 0, first.err
    result = run(*arguments, *data["requires"])
    if "refusal" in data:
        assert result.status == data.get("status", 1), result.err
        for fragment in data["refusal"]:
            assert fragment in " ".join(result.err.split()), result.err
        return
    assert result.status == 0, result.err
    pylock = Pylock.from_dict(toml.loads(output.read_text()))
    pylock.validate()
    assert {package.name: str(package.version) for package in pylock.packages} == data["expect"]
    for fragment in data.get("notes", ()):
        assert fragment in " ".join(result.err.split())
    # The file is what the same inputs give again, whatever stands there now.
    before = output.read_bytes()
    assert run(*arguments, *reversed(data["requires"])).status == 0
    assert output.read_bytes() == before


def test_there_are_many():
    assert len(load_scenarios()) >= 80
