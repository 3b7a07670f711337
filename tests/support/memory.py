"""An index in memory, for laws that are checked on thousands of universes."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from packaging.requirements import Requirement

from rdna1_lock.index.interface import Page
from rdna1_lock.index.simple import LocalWheels
from rdna1_lock.model import IndexFile, Target, Wheel, WheelMetadata
from rdna1_lock.resolution.model import Request, UserRequirement
from rdna1_lock.resolution.sources import Sources
from rdna1_lock.rules import RuleSet, Stack, load_rules, load_stack

Universe = dict[str, dict[str, list[str]]]
RULES: RuleSet = load_rules()
STACK: Stack = load_stack("rocm5.2")
TARGET = Target.parse("3.10", "manylinux_2_28_x86_64")


class MemoryIndex:
    def __init__(self, universe: Universe, tag: str = "py3-none-any") -> None:
        self.universe = universe
        self.tag = tag

    def page(self, name: str) -> Page:
        versions = self.universe.get(name)
        if versions is None:
            return Page(name=name, found=False)
        names = [f"{name.replace('-', '_')}-{version}-{self.tag}.whl" for version in versions]
        files = tuple(
            IndexFile(
                filename=filename,
                url=f"https://index.example/{quote(filename)}",
                sha256="0" * 64,
            )
            for filename in names
        )
        return Page(name=name, found=True, files=files)

    def metadata(self, wheel: Wheel) -> WheelMetadata:
        return WheelMetadata(
            requires=tuple(map(Requirement, self.universe[wheel.name][str(wheel.version)]))
        )

    def sha256(self, wheel: Wheel) -> str:
        return wheel.file.sha256 or ""

    def prefetch_pages(self, names: Iterable[str]) -> None:
        """Nothing to fetch."""

    def prefetch_metadata(self, wheels: Iterable[Wheel]) -> None:
        """Nothing to fetch."""

    def prefetch_hashes(self, wheels: Iterable[Wheel]) -> None:
        """Nothing to read."""

    def close(self) -> None:
        """Nothing to stop."""


def make_sources(universe: Universe, rocm: Universe | None = None) -> Sources:
    default = MemoryIndex(universe)
    return Sources(
        default=default,
        rocm=MemoryIndex(rocm or {}, tag="cp310-cp310-linux_x86_64"),
        urls=default,
        local=LocalWheels([]),
        catalogue=(),
        live=False,
        stack=STACK,
        rules=RULES,
        target=TARGET,
    )


def make_request(requirements: Iterable[str]) -> Request:
    return Request(
        requirements=tuple(
            UserRequirement(parsed=Requirement(text), where="test", label="test")
            for text in requirements
        ),
        target=TARGET,
        stack=STACK,
        gfx=STACK.gfx,
    )
