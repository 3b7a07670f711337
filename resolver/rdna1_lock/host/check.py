"""The rules that a machine must keep (scope ``host``), held against what the kernel shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from rdna1_lock.rules import NATIVE_FROM
from rdna1_lock.rules.finding import Finding, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rdna1_lock.host.gpus import Gpu
    from rdna1_lock.host.system import Device, Host
    from rdna1_lock.rules import RuleSet

# kfd_device.c: Navi 1x does without PCIe atomics from this MEC firmware on.
NO_ATOMICS_FIRMWARE = 145
KERNEL_LIMIT = Version("6.12")
VISIBLE = ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")


def check_host(
    host: Host, rules: RuleSet, variables: Mapping[str, str], *, rocm: Version | None
) -> list[Finding]:
    """Return what is wrong with the machine; ``rocm`` is the series that is to run on it.

    ``variables`` are those that Python will have. Without a series, rules that depend on it
    are told as if the default stack were to run, and R18 not at all.
    """
    found = [
        *_driver(host, rules),
        *_devices(host, rules),
        *_atomics(host, rules),
        *_cards(host, rules, variables),
        *_libc(host, rules, rocm),
        *_kernel(host, rules, rocm),
    ]
    if host.rocm is not None:
        found.append(
            make_finding(
                rules.by_id["R10"],
                seen=f"ROCm {host.rocm} is installed on this system; the wheels use their own",
                where="/opt/rocm",
            )
        )
    if host.rdna1 and (rocm is None or rocm < NATIVE_FROM):
        found.append(_half_precision(host.rdna1[0], rules))
    return found


def _driver(host: Host, rules: RuleSet) -> Iterator[Finding]:
    """Look for cards, and for cards that KFD left out other than for their atomics."""
    rule = rules.by_id["R28"]
    if not host.sysfs:
        yield make_finding(
            rule,
            seen="/sys is not there, so no card can be seen",
            where="/sys",
            remedy="Start the container with /sys, /dev/kfd and /dev/dri: --device=/dev/kfd --device=/dev/dri.",
            commands=(
                ("docker", "docker run --device=/dev/kfd --device=/dev/dri --group-add render"),
            ),
        )
    elif not host.gpus:
        yield make_finding(
            rule,
            severity=Severity.WARNING,
            seen="there is no AMD GPU",
            where="/sys/bus/pci/devices",
            remedy="The locks are for RX 5500, 5600, 5700 and their Pro and mobile siblings.",
        )
    elif not host.rdna1:
        names = ", ".join(f"{gpu.gfx or gpu.pci_id} in {gpu.slot}" for gpu in host.gpus)
        yield make_finding(
            rule,
            severity=Severity.WARNING,
            seen=f"no card is RDNA1: {names}",
            where="/sys/class/kfd/kfd/topology/nodes",
            remedy="This stack is for gfx1010, gfx1011 and gfx1012. RDNA2 and newer have official wheels of their own.",
        )
    for gpu in host.rdna1:
        if gpu.node is None and not _atomics_lack(gpu):
            yield make_finding(
                rule,
                seen=f"{gpu.name or gpu.pci_id} in {gpu.slot} has no KFD node (driver: {gpu.driver or 'none'})",
                where="/sys/class/kfd/kfd/topology/nodes",
                remedy="Load the amdgpu driver with KFD (CONFIG_HSA_AMD); `dmesg | grep kfd` says why it left the card out.",
                commands=(("shell", "sudo modprobe amdgpu; sudo dmesg | grep -i kfd"),),
            )


def _devices(host: Host, rules: RuleSet) -> Iterator[Finding]:
    if not host.rdna1:
        return
    wrong: list[tuple[Device, str]] = []
    for device in host.devices:
        if not device.exists:
            wrong.append((device, f"{device.path} does not exist"))
        elif not device.usable:
            group = f" (group {device.group})" if device.group else ""
            wrong.append((device, f"{device.path} may not be opened by this user{group}"))
    for device, seen in wrong:
        if host.container:
            group = device.group or "render"
            command = f"docker run --device=/dev/kfd --device=/dev/dri --group-add {group}"
            commands = (("docker", command),)
        else:
            group = device.group if device.group not in {None, "root"} else "render"
            commands = (("shell", f'sudo usermod -aG {group} "$USER"'),)
        yield make_finding(rules.by_id["R16"], seen=seen, where=device.path, commands=commands)


def _mec(gpu: Gpu) -> int | None:
    text = gpu.firmware.get("mec")
    try:
        return int(text, 0) if text else None
    except ValueError:
        return None


def _atomics_lack(gpu: Gpu) -> bool:
    """Say whether the kernel skipped a card for its atomics: old firmware and no KFD node."""
    firmware = _mec(gpu)
    return gpu.node is None and firmware is not None and firmware < NO_ATOMICS_FIRMWARE


def _atomics(host: Host, rules: RuleSet) -> Iterator[Finding]:
    for gpu in host.rdna1:
        firmware = _mec(gpu)
        name = f"{gpu.name or gpu.pci_id} in {gpu.slot}"
        if _atomics_lack(gpu):
            yield make_finding(
                rules.by_id["R17"],
                seen=f"{name}: MEC firmware {firmware}, and no KFD node; the kernel skips such a card in a slot without PCIe atomics",
                where=f"/sys/bus/pci/devices/{gpu.slot}/fw_version",
                commands=(("shell", "sudo dmesg | grep 'PCI rejects atomics'"),),
            )
        elif gpu.atomics is False:
            new = firmware is not None and firmware >= NO_ATOMICS_FIRMWARE
            yield make_finding(
                rules.by_id["R17"],
                severity=Severity.INFO if new else Severity.WARNING,
                seen=f"{name}: a link without PCIe atomics, MEC firmware {firmware if firmware is not None else 'unknown'}"
                + (", which does without them" if new else ""),
                where=f"/sys/class/kfd/kfd/topology/nodes/{gpu.node}/io_links",
                commands=()
                if new
                else (
                    (
                        "shell",
                        "grep flags /sys/class/kfd/kfd/topology/nodes/*/io_links/*/properties",
                    ),
                ),
            )


def _cards(host: Host, rules: RuleSet, variables: Mapping[str, str]) -> Iterator[Finding]:
    """Several GPUs: the override presents all of them, and torch takes the first."""
    counted = [gpu for gpu in host.gpus if gpu.index is not None]
    if not host.rdna1 or len({gpu.gfx for gpu in counted}) < 2:
        return
    if any(variables.get(name) for name in VISIBLE):
        return
    card = next((gpu for gpu in counted if gpu.is_rdna1), None)
    if card is None:
        return
    others = ", ".join(f"{gpu.gfx or gpu.pci_id}" for gpu in counted if gpu is not card)
    yield make_finding(
        rules.by_id["R15"],
        seen=f"beside {card.gfx} there is {others}, and HIP_VISIBLE_DEVICES is not set",
        where="/sys/class/kfd/kfd/topology/nodes",
        commands=(("shell", f"export HIP_VISIBLE_DEVICES={card.index}"),),
    )


def _libc(host: Host, rules: RuleSet, rocm: Version | None) -> Iterator[Finding]:
    rule = rules.by_id["R01"]
    for needed in rule.dependencies:
        builds, bound = needed.when.rocm, needed.specifier
        if host.libc is None or bound is None:
            continue
        if rocm is not None and builds is not None and not builds.contains(rocm):
            continue
        if not bound.contains(host.libc):
            yield make_finding(
                rule,
                seen=f"the C library of this system is glibc {host.libc}",
                where="glibc",
                commands=(("nix", "nix develop ./locks/rocm5.2-cp310"),),
            )


def _kernel(host: Host, rules: RuleSet, rocm: Version | None) -> Iterator[Finding]:
    match = re.match(r"\d+(\.\d+)*", host.kernel)
    if not host.rdna1 or rocm is None or rocm < NATIVE_FROM or match is None:
        return
    if Version(match[0]) >= KERNEL_LIMIT:
        yield make_finding(
            rules.by_id["R18"],
            seen=f"the kernel is {match[0]}, and the wheels are for ROCm {rocm}",
            where="kernel",
        )


def _half_precision(card: Gpu, rules: RuleSet) -> Finding:
    return make_finding(
        rules.by_id["R14"],
        severity=Severity.INFO,
        seen=f"{card.gfx} presented as gfx1030",
        where=f"PCI {card.slot}",
    )
