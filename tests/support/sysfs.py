"""Machines that are not here: sysfs, KFD and /dev as the kernel lays them out, in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# The keys of a real node, in the kernel's order (libhsakmt reads them by name).
CPU_NODE = """cpu_cores_count 12
simd_count 0
mem_banks_count 1
caches_count 21
io_links_count 1
cpu_core_id_base 0
simd_id_base 0
max_waves_per_simd 0
lds_size_in_kb 0
gds_size_in_kb 0
num_gws 0
wave_front_size 0
array_count 0
simd_arrays_per_engine 0
cu_per_simd_array 0
simd_per_cu 0
max_slots_scratch_cu 0
gfx_target_version 0
vendor_id 0
device_id 0
location_id 0
domain 0
drm_render_minor 0
hive_id 0
num_sdma_engines 0
max_engine_clk_ccompute 3600
"""
GPU_NODE = """cpu_cores_count 0
simd_count {simd}
mem_banks_count 1
caches_count 52
io_links_count 1
cpu_core_id_base 0
simd_id_base 2147487744
max_waves_per_simd 20
lds_size_in_kb 64
gds_size_in_kb 0
num_gws 64
wave_front_size 32
array_count 4
simd_arrays_per_engine 2
cu_per_simd_array 10
simd_per_cu 2
max_slots_scratch_cu 32
gfx_target_version {version}
vendor_id 4098
device_id {device}
location_id {location}
domain 0
drm_render_minor {minor}
hive_id 0
num_sdma_engines 2
num_sdma_xgmi_engines 0
num_sdma_queues_per_engine 8
num_cp_queues 8
max_engine_clk_fcompute 1780
local_mem_size 0
fw_version 145
capability 671580800
debug_prop 1511
sdma_fw_version 35
unique_id 1234567890123456789
num_xcc 1
max_engine_clk_ccompute 3600
"""


@dataclass(frozen=True)
class Card:
    """One GPU of a made-up machine; ``kfd`` False leaves it out of the topology."""

    device: int
    revision: int = 0
    version: int = 0
    bus: int = 0x0B
    simd: int = 72
    mec: int | None = 145
    flags: int = 1
    kfd: bool = True
    vendor: int = 0x1002
    driver: str | None = "amdgpu"
    kind: str = "0x030000"


RX_5600_XT = Card(0x731F, 0xCA, 100100)
RX_5700_XT = Card(0x731F, 0xC1, 100100, simd=80)
RX_5500_XT = Card(0x7340, 0xC5, 100102, simd=44)
PRO_5600M = Card(0x7360, 0x41, 100101, simd=80)
RX_6800 = Card(0x73BF, 0xC3, 100300, simd=120)
RAPHAEL = Card(0x164E, 0xC1, 100306, bus=0x10, simd=4)
RX_580 = Card(0x67DF, 0xE7, 80003, bus=0x0C, simd=144)
BC_250 = Card(0x13FE, 0x00, 100103, simd=48)
FUTURE = Card(0x9999, 0x00, 130507, bus=0x0D, simd=64)
GEFORCE = Card(0x2684, 0xA1, vendor=0x10DE, kfd=False, mec=None, driver="nvidia")


@dataclass(frozen=True)
class Machine:
    """Where the tree is; the files under it may be changed by a test."""

    root: Path
    cards: tuple[Card, ...] = field(default=())

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_machine(
    root: Path,
    cards: Iterable[Card],
    *,
    container: bool = False,
    sysfs: bool = True,
    devices: bool = True,
) -> Machine:
    machine = Machine(root, tuple(cards))
    root.mkdir(parents=True, exist_ok=True)
    machine.write("etc/os-release", 'NAME="Test"\nPRETTY_NAME="Test Linux 1"\n')
    machine.write("proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD Ryzen 5 3600\n")
    if container:
        machine.write(".dockerenv", "")
    if devices:
        machine.write("dev/kfd", "")
    if not sysfs:
        return machine
    (root / "sys/bus/pci/devices").mkdir(parents=True)
    topology = "sys/class/kfd/kfd/topology/nodes"
    if any(card.driver == "amdgpu" for card in machine.cards):
        machine.write("sys/module/amdgpu/parameters/cwsr_enable", "1\n")
        machine.write(f"{topology}/0/properties", CPU_NODE)
        machine.write(f"{topology}/0/gpu_id", "0\n")
    node = 0
    for number, card in enumerate(machine.cards):
        slot = f"0000:{card.bus + (0 if number == 0 else number * 0x10):02x}:00.0"
        _pci(machine, slot, card, 128 + number, devices=devices)
        if card.kfd:
            node += 1
            bus = int(slot[5:7], 16)
            text = GPU_NODE.format(
                simd=card.simd,
                version=card.version,
                device=card.device,
                location=bus << 8,
                minor=128 + number,
            )
            machine.write(f"{topology}/{node}/properties", text)
            machine.write(f"{topology}/{node}/gpu_id", f"{4000 + node}\n")
            machine.write(
                f"{topology}/{node}/io_links/0/properties",
                f"type 2\nversion_major 0\nnode_from {node}\nnode_to 0\nweight 20\nflags {card.flags}\n",
            )
    return machine


def _pci(machine: Machine, slot: str, card: Card, minor: int, *, devices: bool) -> None:
    place = f"sys/bus/pci/devices/{slot}"
    for name, value in {
        "vendor": f"0x{card.vendor:04x}",
        "device": f"0x{card.device:04x}",
        "revision": f"0x{card.revision:02x}",
        "subsystem_vendor": "0x1da2",
        "subsystem_device": "0xe411",
        "class": card.kind,
        "vbios_version": "113-5E4111U-X4G",
        "mem_info_vram_total": str(6 << 30),
        "current_link_speed": "16.0 GT/s PCIe",
        "current_link_width": "16",
    }.items():
        machine.write(f"{place}/{name}", f"{value}\n")
    if card.mec is not None:
        machine.write(f"{place}/fw_version/mec_fw_version", f"0x{card.mec:08x}\n")
        machine.write(f"{place}/fw_version/smc_fw_version", "0x002a3200\n")
    if card.driver:
        driver = machine.root / "sys/bus/pci/drivers" / card.driver
        driver.mkdir(parents=True, exist_ok=True)
        (machine.root / place / "driver").symlink_to(driver)
    (machine.root / place / "drm" / f"renderD{minor}").mkdir(parents=True)
    if devices and card.driver == "amdgpu":
        machine.write(f"dev/dri/renderD{minor}", "")
