"""AMD cards from sysfs and the KFD topology: what they are, whatever the runtime reports.

``HSA_OVERRIDE_GFX_VERSION`` is applied in user space (libhsakmt), so KFD shows the true target
where rocminfo and torch show the presented one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdna1_lock.rules import Gpus

AMD = "0x1002"
DISPLAY_CLASSES = ("0x0300", "0x0302", "0x0380")
# kfd_crat.h: an io_link without 32- or 64-bit atomics.
NO_ATOMICS = 4 | 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One AMD GPU. What the kernel does not say is None.

    ``slot`` is the PCI address, ``index`` the place among the GPUs of the KFD topology, which is
    HIP's order. ``gfx`` is the true target: of KFD, else by the table of cards. ``atomics`` says
    whether all links of its node carry them.
    """

    slot: str
    device: str
    revision: str
    subsystem: str
    gfx: str | None
    chip: str | None
    name: str | None
    driver: str | None = None
    vbios: str | None = None
    vram: int | None = None
    link: str | None = None
    firmware: Mapping[str, str] = field(default_factory=dict)
    node: int | None = None
    index: int | None = None
    gfx_target_version: int | None = None
    simd_count: int | None = None
    render: str | None = None
    atomics: bool | None = None

    @property
    def pci_id(self) -> str:
        """Vendor and device, e.g. ``1002:731f``."""
        return f"{AMD[2:]}:{self.device[2:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One GPU node of ``/sys/class/kfd/kfd/topology/nodes``."""

    number: int
    properties: Mapping[str, int]
    link_flags: tuple[int, ...]

    @property
    def slot(self) -> str:
        """The PCI address that ``domain`` and ``location_id`` hold."""
        location = self.properties.get("location_id", 0)
        bus, device, function = location >> 8 & 0xFF, location >> 3 & 0x1F, location & 7
        return f"{self.properties.get('domain', 0):04x}:{bus:02x}:{device:02x}.{function}"


def read_text(path: Path, limit: int = 65536) -> str | None:
    """Return the stripped text of a small file; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "replace").strip()
    except OSError:
        return None


def names_in(folder: Path) -> list[str]:
    """Return the sorted names in a folder; an empty list if it cannot be read."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def gfx_name(version: int) -> str | None:
    """Decode ``gfx_target_version``: 100100 is gfx1010, 90012 is gfx90c (rocm_agent_enumerator)."""
    if version <= 0:
        return None
    return f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"


def kfd_nodes(root: Path = Path("/")) -> list[Node]:
    """Return the GPU nodes of KFD in the order that HIP counts them."""
    base = root / "sys/class/kfd/kfd/topology/nodes"
    found = []
    for name in sorted(names_in(base), key=lambda text: (len(text), text)):
        text = read_text(base / name / "properties")
        if not name.isdigit() or text is None:
            continue
        properties = _numbers(text)
        if properties.get("simd_count", 0) <= 0 or properties.get("gfx_target_version", 0) <= 0:
            continue
        links = base / name / "io_links"
        flags = [
            _numbers(read_text(links / link / "properties") or "").get("flags")
            for link in names_in(links)
        ]
        found.append(
            Node(
                number=int(name),
                properties=properties,
                link_flags=tuple(flag for flag in flags if flag is not None),
            )
        )
    return found


def _numbers(text: str) -> dict[str, int]:
    """Read lines of ``key value``; leave out values that are not numbers."""
    found = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if value.strip().isdigit():
            found[key] = int(value)
    return found


def find_gpus(table: Gpus, root: Path = Path("/")) -> tuple[Gpu, ...]:
    """Return the AMD GPUs, by PCI address; ``table`` names the RDNA1 cards."""
    nodes = kfd_nodes(root)
    by_slot = {node.slot: (index, node) for index, node in enumerate(nodes)}
    base = root / "sys/bus/pci/devices"
    found = []
    for slot in names_in(base):
        place = base / slot
        kind = read_text(place / "class") or ""
        if read_text(place / "vendor") != AMD or not kind.startswith(DISPLAY_CLASSES):
            continue
        found.append(_gpu(slot, place, table, *by_slot.pop(slot, (None, None))))
    # A container may show KFD without the PCI tree.
    for slot, (index, node) in sorted(by_slot.items()):
        if node.properties.get("vendor_id") == int(AMD, 16):
            found.append(_gpu(slot, base / slot, table, index, node))
    return tuple(found)


def _gpu(slot: str, place: Path, table: Gpus, index: int | None, node: Node | None) -> Gpu:
    properties = node.properties if node else {}
    device = (read_text(place / "device") or f"0x{properties.get('device_id', 0):04x}").lower()
    revision = _hexadecimal(place / "revision").upper()
    version = properties.get("gfx_target_version")
    chip, gfx, name = _listed(table, device, revision)
    driver = place / "driver"
    return Gpu(
        slot=slot,
        device=device,
        revision=revision,
        subsystem=":".join(
            _hexadecimal(place / f"subsystem_{what}") for what in ("vendor", "device")
        ),
        gfx=(gfx_name(version) if version else None) or gfx,
        chip=chip,
        name=name,
        driver=driver.resolve().name if driver.exists() else None,
        vbios=read_text(place / "vbios_version") or None,
        vram=_number(place / "mem_info_vram_total"),
        link=_link(place),
        firmware=_firmware(place),
        node=node.number if node else None,
        index=index,
        gfx_target_version=version,
        simd_count=properties.get("simd_count"),
        render=_render(place, properties),
        atomics=_carries_atomics(node),
    )


def _hexadecimal(path: Path) -> str:
    """Return the digits of a number such as ``0x731f``; empty if it cannot be read."""
    return (read_text(path) or "")[2:]


def _number(path: Path) -> int | None:
    text = read_text(path)
    return int(text) if text and text.isdigit() else None


def _listed(table: Gpus, device: str, revision: str) -> tuple[str | None, str | None, str | None]:
    """Return chip, target and marketing name by the table of cards."""
    card = table.cards.get(device)
    if card is None:
        return None, None, None
    name = card.names.get(revision) or card.names.get("") or f"{card.chip.name} card"
    return card.chip.name, card.chip.gfx, name


def _link(place: Path) -> str | None:
    speed, width = (read_text(place / f"current_link_{what}") for what in ("speed", "width"))
    return f"{speed} x{width}" if speed and width else None


def _firmware(place: Path) -> dict[str, str]:
    found = {}
    for name in names_in(place / "fw_version"):
        text = read_text(place / "fw_version" / name)
        if text:
            found[name.removesuffix("_fw_version")] = text
    return found


def _render(place: Path, properties: Mapping[str, int]) -> str | None:
    """Return the render node by KFD, else the first one by PCI."""
    minor = properties.get("drm_render_minor", 0)
    if minor:
        return f"renderD{minor}"
    return next((name for name in names_in(place / "drm") if name.startswith("renderD")), None)


def _carries_atomics(node: Node | None) -> bool | None:
    if node is None or not node.link_flags:
        return None
    return all(not flag & NO_ATOMICS for flag in node.link_flags)
