"""The card that a sweep runs on: chosen among those of a machine, and ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.errors import HostError, UsageError

if TYPE_CHECKING:
    from packaging.version import Version

    from rdna1_lock.host.gpus import Gpu
    from rdna1_lock.host.system import Host
    from rdna1_lock.lock.model import Lock


def choose_card(host: Host, slot: str | None) -> Gpu | None:
    """Return the RDNA1 card in a PCI slot; without a slot the first one, None if there is none.

    Raises:
        UsageError: no RDNA1 card is in that slot.

    """
    if slot is None:
        return host.rdna1[0] if host.rdna1 else None
    for gpu in host.rdna1:
        if gpu.slot == slot:
            return gpu
    listed = ", ".join(gpu.slot for gpu in host.rdna1) or "this machine has none"
    raise UsageError(
        "no-such-card", f"no RDNA1 card is in slot {slot}", hint=f"RDNA1 cards: {listed}"
    )


def visible_index(host: Host, card: Gpu | None) -> int | None:
    """Return the card's index for HIP_VISIBLE_DEVICES, None if it is the only GPU."""
    counted = [gpu for gpu in host.gpus if gpu.index is not None]
    return card.index if card is not None and len(counted) > 1 else None


def check_ready(host: Host, lock: Lock) -> None:
    """Check the machine before a gigabyte is downloaded for a card that cannot be opened.

    Raises:
        HostError: a rule about the machine is violated; the hint has the commands that fix it.

    """
    from rdna1_lock.audit.report import check_host
    from rdna1_lock.rules import load_rules
    from rdna1_lock.rules.model import Severity

    # The sweep makes one card visible, whatever the variables say (R15).
    variables = {**lock.env, "HIP_VISIBLE_DEVICES": "chosen"}
    findings = check_host(host, load_rules(), variables, rocm=_rocm(lock))
    # R01: the environment may bring its own C library, as the Nix shell does.
    blocking = [f for f in findings if f.severity is Severity.ERROR and f.rule != "R01"]
    if blocking:
        commands = dict.fromkeys(command.line for item in blocking for command in item.commands)
        raise HostError(
            "host-not-ready",
            "this machine is not ready for the sweep",
            facts=tuple(f"{item.rule}: {item.seen}" for item in blocking),
            hint="; ".join(commands) or blocking[0].remedy,
        )


def _rocm(lock: Lock) -> Version | None:
    from rdna1_lock.model import rocm_label

    found = (rocm_label(p.version) for p in lock.packages if p.version and p.name == "torch")
    return next(found, None)
