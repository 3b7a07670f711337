"""Small package universes in TOML: prose, packages, what is asked, what must come out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdna1_lock import toml
from support.server import Server, Simple
from support.wheels import Spec

SCENARIOS = Path(__file__).parent.parent / "scenarios"
# Keys that a scenario may have; a misspelt one must not pass unseen.
KEYS = {
    "prose",
    "python",
    "platform",
    "requires",
    "constraints",
    "args",
    "packages",
    "rocm",
    "locked",
    "expect",
    "refusal",
    "status",
    "absent",
    "notes",
}
PACKAGE_KEYS = {
    "requires",
    "extras",
    "requires-python",
    "tags",
    "yanked",
    "sdist",
    "wheel",
    "uploaded",
}


@dataclass(frozen=True)
class Scenario:
    name: str
    data: dict[str, Any]

    @property
    def arguments(self) -> list[str]:
        arguments = ["--python-version", self.data.get("python", "3.10")]
        if "platform" in self.data:
            arguments += ["--platform", self.data["platform"]]
        return [*arguments, *self.data.get("args", [])]


def load_scenarios() -> list[Scenario]:
    found = []
    for path in sorted(SCENARIOS.rglob("*.toml")):
        data = toml.loads(path.read_text("utf-8"))
        unknown = set(data) - KEYS
        if unknown or ("expect" in data) == ("refusal" in data):
            raise ValueError(f"{path}: unknown keys {unknown}, or not one of expect and refusal")
        found.append(Scenario(str(path.relative_to(SCENARIOS).with_suffix("")), data))
    return found


def fill(index: Simple, packages: dict[str, Any]) -> None:
    for name, versions in packages.items():
        index.projects.setdefault(name, [])
        for version, facts in versions.items():
            unknown = set(facts) - PACKAGE_KEYS
            if unknown:
                raise ValueError(f"{name} {version}: unknown keys {unknown}")
            if facts.get("sdist"):
                index.add_sdist(name, version)
            if not facts.get("wheel", True):
                continue
            for tag in facts.get("tags", ["py3-none-any"]):
                spec = Spec(
                    name=name,
                    version=version,
                    requires=tuple(facts.get("requires", ())),
                    extras={key: tuple(value) for key, value in facts.get("extras", {}).items()},
                    requires_python=facts.get("requires-python"),
                    tag=tag,
                )
                entry = index.add(spec, yanked=facts.get("yanked", False))
                entry.upload_time = facts.get("uploaded")


def serve(server: Server, scenario: Scenario, **style: Any) -> list[str]:
    """Put a scenario on the server; return the options that lead there."""
    name = scenario.name.replace("/", "-")
    fill(server.index(name, **style), scenario.data.get("packages", {}))
    options = ["--index-url", server.url(name)]
    if "rocm" in scenario.data:
        fill(server.index(f"{name}-rocm", kind="pytorch", absent=403), scenario.data["rocm"])
        options += ["--no-catalogue", "--rocm-index-url", server.url(f"{name}-rocm")]
    return options
