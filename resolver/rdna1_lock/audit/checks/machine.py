"""The machine as the kernel shows it: R10, R14 to R18, R28, and the C library (R01)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from rdna1_lock.audit.registry import facts, machine_check
from rdna1_lock.rules.finding import Finding, Place, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rdna1_lock.audit.observed import Machine
    from rdna1_lock.host.gpus import Gpu
    from rdna1_lock.rules import Command, Rule

TOPOLOGY = "/sys/class/kfd/kfd/topology/nodes"

VISIBLE = facts("R15", lambda entry: entry.texts("variables"))
GROUP = facts("R16", lambda entry: entry.text("group"))
# kfd_device.c, kgd2kfd_device_init(): `needs_pci_atomics`, and `no_atomic_fw_version` of Navi 1x.
FIRMWARE = facts("R17", lambda entry: entry.take("firmware", int))
KERNEL = facts("R18", lambda entry: entry.bound("kernel"))


@machine_check("R28")
def card(machine: Machine) -> Iterator[Finding]:
    """Find a machine without an RDNA1 card."""
    host, rule = machine.host, machine.rules.by_id["R28"]
    if not host.sysfs:
        yield make_finding(
            rule,
            seen="/sys does not exist, so no card can be seen",
            where=Place(path="/sys"),
            remedy="Start the container with /sys, /dev/kfd and /dev/dri: --device=/dev/kfd --device=/dev/dri.",
            commands=(rule.command("container"),),
        )
    elif not host.gpus:
        yield make_finding(
            rule,
            severity=Severity.WARNING,
            seen="there is no AMD GPU",
            where=Place(path="/sys/bus/pci/devices"),
            remedy="The locks are for RDNA1 cards: RX 5000 and their Pro and mobile siblings.",
        )
    elif not host.rdna1:
        names = ", ".join(f"{gpu.gfx or gpu.pci_id} in {gpu.slot}" for gpu in host.gpus)
        yield make_finding(
            rule,
            severity=Severity.WARNING,
            seen=f"no card is RDNA1: {names}",
            where=Place(path=TOPOLOGY),
            remedy=f"The locks are for {', '.join(host.targets)}. RDNA2 and newer have official wheels of their own.",
        )


@machine_check("R28")
def node(machine: Machine) -> Iterator[Finding]:
    """Find RDNA1 cards that KFD left out other than for their atomics."""
    rule = machine.rules.by_id["R28"]
    for gpu in machine.host.rdna1:
        if gpu.node is None and not _lacks_atomics(machine, gpu):
            yield make_finding(
                rule,
                seen=f"{_named(gpu)} has no KFD node (driver: {gpu.driver or 'none'})",
                where=Place(path=TOPOLOGY),
                remedy="Load the amdgpu driver with KFD (CONFIG_HSA_AMD); `dmesg | grep kfd` says why it left the card out.",
                commands=(rule.command("driver"),),
            )


@machine_check("R16")
def devices(machine: Machine) -> Iterator[Finding]:
    """Find device nodes that are missing or may not be opened."""
    host, rule = machine.host, machine.rules.by_id["R16"]
    if not host.rdna1:
        return
    for device in host.devices:
        if device.usable:
            continue
        group = f" (group {device.group})" if device.group else ""
        seen = (
            f"{device.path} may not be opened by this user{group}"
            if device.exists
            else f"{device.path} does not exist"
        )
        yield make_finding(
            rule,
            seen=seen,
            where=Place(path=device.path),
            commands=(_permission(machine, rule, device.group),),
        )


def _permission(machine: Machine, rule: Rule, group: str | None) -> Command:
    usual = GROUP.of(machine.rules)
    if machine.host.container:
        return rule.command("container", group=group or usual)
    return rule.command("join", group=usual if group in {None, "root"} else str(group))


@machine_check("R17")
def atomics(machine: Machine) -> Iterator[Finding]:
    """Find cards in slots without PCIe atomics, which older firmware needs."""
    rule = machine.rules.by_id["R17"]
    for gpu in machine.host.rdna1:
        firmware = _mec(gpu)
        if _lacks_atomics(machine, gpu):
            yield make_finding(
                rule,
                seen=f"{_named(gpu)}: MEC firmware {firmware}, and no KFD node; the kernel skips such a card in a slot without PCIe atomics",
                where=Place(path=f"/sys/bus/pci/devices/{gpu.slot}/fw_version"),
                commands=(rule.command("log"),),
            )
        elif gpu.atomics is False:
            new = firmware is not None and firmware >= FIRMWARE.of(machine.rules)
            shown = firmware if firmware is not None else "unknown"
            yield make_finding(
                rule,
                severity=Severity.INFO if new else Severity.WARNING,
                seen=f"{_named(gpu)}: a link without PCIe atomics, MEC firmware {shown}"
                + (", which does without them" if new else ""),
                where=Place(path=f"{TOPOLOGY}/{gpu.node}/io_links"),
                commands=() if new else (rule.command("links"),),
            )


def _lacks_atomics(machine: Machine, gpu: Gpu) -> bool:
    """Say whether the kernel skipped a card for its atomics: old firmware and no KFD node."""
    firmware = _mec(gpu)
    return gpu.node is None and firmware is not None and firmware < FIRMWARE.of(machine.rules)


def _mec(gpu: Gpu) -> int | None:
    text = gpu.firmware.get("mec")
    try:
        return int(text, 0) if text else None
    except ValueError:
        return None


def _named(gpu: Gpu) -> str:
    return f"{gpu.name or gpu.pci_id} in {gpu.slot}"


@machine_check("R15")
def several(machine: Machine) -> Iterator[Finding]:
    """Find several kinds of GPUs: the override presents all of them, and torch takes the first."""
    host, rule = machine.host, machine.rules.by_id["R15"]
    chosen = VISIBLE.of(machine.rules)
    if any(machine.variables.get(name) for name in chosen):
        return
    counted = [gpu for gpu in host.gpus if gpu.index is not None]
    ours = next((gpu for gpu in counted if gpu.gfx in host.targets), None)
    if ours is not None and len({gpu.gfx for gpu in counted}) > 1:
        others = _others(counted, ours)
        yield make_finding(
            rule,
            seen=f"{ours.gfx} is not the only GPU: there is also {others}, and {chosen[0]} is not set",
            where=Place(path=TOPOLOGY),
            commands=(rule.command("choose", index=str(ours.index)),),
        )


def _others(gpus: list[Gpu], ours: Gpu) -> str:
    return ", ".join(gpu.gfx or gpu.pci_id for gpu in gpus if gpu is not ours)


@machine_check("R01")
def libc(machine: Machine) -> Iterator[Finding]:
    """Find a C library with which the wheels of the series do not load."""
    found, rule = machine.host.libc, machine.rules.by_id["R01"]
    needed = machine.rules.dependency("R01", "<glibc>")
    builds, bound = needed.when.rocm, needed.specifier
    if found is None or bound is None or bound.contains(found):
        return
    if machine.rocm is None or builds is None or builds.contains(machine.rocm):
        yield make_finding(
            rule,
            seen=f"the C library of this system is glibc {found}",
            where=Place(package="glibc"),
            commands=(rule.command("shell"),),
        )


@machine_check("R18")
def kernel(machine: Machine) -> Iterator[Finding]:
    """Find a kernel with which AMD's newest native wheels were reported to fail."""
    host, rocm = machine.host, machine.rocm
    if not host.rdna1 or rocm is None or not machine.rules.is_native(rocm):
        return
    release = re.match(r"\d+(\.\d+)*", host.kernel)
    if release is not None and KERNEL.of(machine.rules).contains(Version(release[0])):
        yield make_finding(
            machine.rules.by_id["R18"],
            seen=f"the kernel is {release[0]}, and the wheels are for ROCm {rocm}",
            where=Place(package="kernel"),
        )


@machine_check("R10")
def system_rocm(machine: Machine) -> Iterator[Finding]:
    """Say that a ROCm on the system does not matter to the wheels."""
    if machine.host.rocm is not None:
        yield make_finding(
            machine.rules.by_id["R10"],
            seen=f"ROCm {machine.host.rocm} is installed on this system; the wheels use their own",
            where=Place(path="/opt/rocm"),
        )


@machine_check("R14")
def half_precision(machine: Machine) -> Iterator[Finding]:
    """Say that half precision is at risk with the override."""
    rocm = machine.rocm
    if machine.host.rdna1 and (rocm is None or not machine.rules.is_native(rocm)):
        gpu = machine.host.rdna1[0]
        yield make_finding(
            machine.rules.by_id["R14"],
            severity=Severity.INFO,
            seen=f"{gpu.gfx} presented as gfx{machine.rules.override.replace('.', '')}",
            where=Place(path=f"/sys/bus/pci/devices/{gpu.slot}", label=f"PCI {gpu.slot}"),
        )
