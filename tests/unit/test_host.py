"""What a machine is, from trees in the kernel's own form, and the rules that it must keep."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from packaging.version import Version

from rdna1_lock.audit.report import check_host
from rdna1_lock.host.gpus import gfx_name
from rdna1_lock.host.system import Host, look_at_host
from rdna1_lock.rules import Command, load_gpus, load_rules
from support import sysfs
from support.sysfs import Card, make_machine

CARDS, RULES = load_gpus(), load_rules()
OLD, NATIVE = Version("5.2"), Version("7.13")


def look(root: Path, *cards: Card, kernel: str = "6.8.0-45-generic", **options: bool) -> Host:
    host = look_at_host(CARDS, make_machine(root, cards, **options).root, kernel=kernel)
    return dataclasses.replace(host, libc="2.39")


def rules(host: Host, rocm: Version | None = OLD, **variables: str) -> list[tuple[str, str]]:
    found = check_host(host, RULES, variables, rocm=rocm)
    return [(item.rule, item.severity.value) for item in found if item.rule != "R14"]


@pytest.mark.parametrize(
    ("card", "gfx", "name"),
    [
        (sysfs.RX_5600_XT, "gfx1010", "Radeon RX 5600 XT"),
        (sysfs.RX_5700_XT, "gfx1010", "Radeon RX 5700 XT"),
        (sysfs.RX_5500_XT, "gfx1012", "Radeon RX 5500 XT"),
        (sysfs.PRO_5600M, "gfx1011", "Radeon Pro 5600M"),
    ],
)
def test_an_rdna1_card_is_known_by_kernel_and_revision(tmp_path, card, gfx, name):
    host = look(tmp_path / "m", card)
    [gpu] = host.rdna1
    assert (gpu.gfx, gpu.name, gpu.index, gpu.node) == (gfx, name, 0, 1)
    assert gpu.pci_id == f"1002:{card.device:04x}"
    assert gpu.slot == "0000:0b:00.0"
    assert (gpu.atomics, gpu.driver, gpu.render) == (True, "amdgpu", "renderD128")
    assert gpu.firmware["mec"] == "0x00000091"
    assert rules(host) == []


@pytest.mark.parametrize(
    ("version", "name"),
    [(100100, "gfx1010"), (90012, "gfx90c"), (90402, "gfx942"), (110001, "gfx1101"), (0, None)],
)
def test_target_versions_are_decoded_as_rocm_does(version, name):
    assert gfx_name(version) == name


def test_the_override_changes_nothing_that_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("HSA_OVERRIDE_GFX_VERSION", "10.3.0")
    assert look(tmp_path / "m", sysfs.RX_5600_XT).gpus[0].gfx == "gfx1010"


def test_an_integrated_gpu_next_to_the_card(tmp_path):
    host = look(tmp_path / "m", sysfs.RX_5700_XT, sysfs.RAPHAEL)
    assert [gpu.gfx for gpu in host.gpus] == ["gfx1010", "gfx1036"]
    assert rules(host) == [("R15", "warning")]
    assert rules(host, HIP_VISIBLE_DEVICES="0") == []
    [finding] = [f for f in check_host(host, RULES, {}, rocm=OLD) if f.rule == "R15"]
    assert finding.commands == (Command(tool="shell", line="export HIP_VISIBLE_DEVICES=0"),)


def test_two_equal_cards_need_no_choice(tmp_path):
    host = look(tmp_path / "m", sysfs.RX_5600_XT, sysfs.RX_5700_XT)
    assert [gpu.index for gpu in host.rdna1] == [0, 1]
    assert rules(host) == []


@pytest.mark.parametrize("stranger", [sysfs.FUTURE, sysfs.RX_580])
def test_an_unknown_card_does_not_hide_the_known_one(tmp_path, stranger):
    host = look(tmp_path / "m", stranger, sysfs.RX_5600_XT)
    assert len(host.gpus) == 2
    [card] = host.rdna1
    assert card.index == 1
    [finding] = [f for f in check_host(host, RULES, {}, rocm=OLD) if f.rule == "R15"]
    assert "HIP_VISIBLE_DEVICES=1" in finding.commands[0].line


def test_no_kfd_node(tmp_path):
    card = dataclasses.replace(sysfs.RX_5600_XT, kfd=False, driver=None)
    host = look(tmp_path / "m", card, devices=False)
    assert host.rdna1[0].gfx == "gfx1010"
    found = check_host(host, RULES, {}, rocm=OLD)
    assert sorted((f.rule, f.severity.value) for f in found if f.rule != "R14") == [
        *(("R16", "error"), ("R16", "error"), ("R28", "error"))
    ]
    assert "no KFD node (driver: none)" in found[0].seen
    assert {"/dev/kfd", "/dev/dri/renderD128"} <= {f.where.path for f in found}


def test_no_permission(tmp_path, monkeypatch):
    host = look(tmp_path / "m", sysfs.RX_5600_XT)
    assert all(device.usable for device in host.devices)
    monkeypatch.setattr("os.access", lambda path, mode: "kfd" not in str(path))
    host = look(tmp_path / "n", sysfs.RX_5600_XT)
    [finding] = [f for f in check_host(host, RULES, {}, rocm=OLD) if f.rule == "R16"]
    assert "/dev/kfd may not be opened" in finding.seen
    assert 'usermod -aG render "$USER"' in finding.commands[0].line
    inside = dataclasses.replace(host, container=True)
    [finding] = [f for f in check_host(inside, RULES, {}, rocm=OLD) if f.rule == "R16"]
    assert "--device=/dev/kfd" in finding.commands[0].line


@pytest.mark.parametrize(
    ("mec", "kfd", "flags", "expected"),
    [
        (123, False, 1, [("R17", "error")]),
        (144, False, 1, [("R17", "error")]),
        (145, True, 1 | 4 | 8, [("R17", "info")]),
        (144, True, 1 | 4, [("R17", "warning")]),
        (None, True, 1 | 8, [("R17", "warning")]),
        (145, True, 3, []),
        (123, True, 1, []),
    ],
)
def test_pcie_atomics_and_firmware(tmp_path, mec, kfd, flags, expected):
    card = dataclasses.replace(sysfs.RX_5600_XT, mec=mec, kfd=kfd, flags=flags)
    assert rules(look(tmp_path / "m", card)) == expected


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (sysfs.RX_6800, [("R28", "warning")]),
        (sysfs.BC_250, [("R28", "warning")]),
        (sysfs.GEFORCE, [("R28", "warning")]),
    ],
)
def test_other_cards_are_told_and_never_taken_for_rdna1(tmp_path, card, expected):
    host = look(tmp_path / "m", card)
    assert host.rdna1 == ()
    assert rules(host) == expected


def test_a_container_without_sys(tmp_path):
    host = look(tmp_path / "m", sysfs.RX_5600_XT, container=True, sysfs=False, devices=False)
    assert (host.container, host.sysfs, host.gpus) == (True, False, ())
    [finding] = check_host(host, RULES, {}, rocm=OLD)
    assert (finding.rule, finding.severity.value) == ("R28", "error")
    assert "--device=/dev/kfd" in finding.remedy


@pytest.mark.parametrize(
    ("libc", "rocm", "expected"),
    [
        ("2.41", OLD, [("R01", "error")]),
        ("2.42", None, [("R01", "error")]),
        ("2.40", OLD, []),
        ("2.41", NATIVE, []),
        (None, OLD, []),
    ],
)
def test_glibc(tmp_path, libc, rocm, expected):
    host = dataclasses.replace(look(tmp_path / "m", sysfs.RX_5600_XT), libc=libc)
    assert rules(host, rocm) == expected


@pytest.mark.parametrize(
    ("kernel", "rocm", "expected"),
    [
        ("6.12.1", NATIVE, [("R18", "warning")]),
        ("6.19.9", NATIVE, [("R18", "warning")]),
        ("7.0-rc1", NATIVE, []),
        ("6.11.0-9-generic", NATIVE, []),
        ("6.14.0", OLD, []),
        ("6.14.0", None, []),
        ("strange", NATIVE, []),
    ],
)
def test_kernel_and_native_wheels(tmp_path, kernel, rocm, expected):
    assert rules(look(tmp_path / "m", sysfs.RX_5500_XT, kernel=kernel), rocm) == expected


def test_half_precision_is_told_on_the_override_path_only(tmp_path):
    host = look(tmp_path / "m", sysfs.RX_5600_XT)
    assert "R14" in {f.rule for f in check_host(host, RULES, {}, rocm=OLD)}
    assert "R14" not in {f.rule for f in check_host(host, RULES, {}, rocm=NATIVE)}
    none = look(tmp_path / "n")
    assert "R14" not in {f.rule for f in check_host(none, RULES, {}, rocm=OLD)}


@pytest.mark.parametrize("name", ["properties", "io_links/0/properties", "gpu_id"])
@pytest.mark.parametrize("text", ["", "\0\xff", "simd_count\ngfx_target_version -5\n", "x" * 9999])
def test_rubbish_in_the_tree_is_no_crash(tmp_path, name, text):
    machine = make_machine(tmp_path / "m", [sysfs.RX_5600_XT])
    machine.write(f"sys/class/kfd/kfd/topology/nodes/1/{name}", text)
    machine.write("sys/class/kfd/kfd/topology/nodes/strange/properties", text)
    machine.write("sys/bus/pci/devices/0000:0b:00.0/mem_info_vram_total", text)
    host = look_at_host(CARDS, machine.root, kernel="6.8")
    assert host.gpus[0].gfx == "gfx1010"
    check_host(host, RULES, {}, rocm=OLD)


def test_nothing_of_this_machine_is_in_it():
    host = look_at_host(CARDS)
    assert "unique_id" not in repr(host)
    assert host.kernel
