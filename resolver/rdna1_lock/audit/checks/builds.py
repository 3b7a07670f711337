"""Which builds of the torch family are there: R02, R03, R07."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.audit.commands import install_stack
from rdna1_lock.audit.registry import BOTH, FILE, INSTALLED, subject_check
from rdna1_lock.rules.finding import Finding, make_finding
from rdna1_lock.rules.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.version import Version

    from rdna1_lock.audit.observed import Observed
    from rdna1_lock.audit.subject import Package, Subject


@subject_check("R03", scopes=BOTH)
def other_flavour(observed: Observed) -> Iterator[Finding]:
    """Find builds for another kind of hardware."""
    subject = observed.subject
    for package in _family(observed):
        if package.version is not None and not subject.is_rocm(package):
            yield make_finding(
                observed.rules.by_id["R03"],
                seen=f"{package.text} is {_kind(subject, package)}",
                where=subject.place(package),
                commands=install_stack(observed),
            )


@subject_check("R03", scopes=FILE)
def left_to_chance(observed: Observed) -> Iterator[Finding]:
    """Find requirements that leave the build open, or its bytes."""
    subject, rule = observed.subject, observed.rules.by_id["R03"]
    for package in _family(observed):
        if package.version is None:
            yield make_finding(
                rule,
                seen=f"{package.text} does not fix a build: the default index serves the one for CUDA",
                where=subject.place(package),
                commands=install_stack(observed),
            )
        elif subject.is_rocm(package) and not package.hashed:
            yield make_finding(
                rule,
                severity=Severity.INFO,
                seen=f"{package.text} has no hash",
                where=subject.place(package),
                commands=(rule.command("lock-file", file=subject.label),),
            )


def _family(observed: Observed) -> list[Package]:
    subject = observed.subject
    return [package for name in observed.rules.family for package in subject.all_of(name)]


def _kind(subject: Subject, package: Package) -> str:
    cuda = subject.torch_files.cuda if package.name == "torch" and subject.torch_files else None
    label = package.label
    if cuda or label.startswith("cu"):
        return f"a build for CUDA ({cuda or label}), which cannot use an AMD card"
    if label == "cpu":
        return "a build for the processor only"
    if package.source == "conda":
        return "conda's own build, which is for CUDA or the processor"
    why = label or "no local label: the default index has CUDA builds"
    return f"not a ROCm build ({why})"


@subject_check("R03", scopes=BOTH)
def extra_index(observed: Observed) -> Iterator[Finding]:
    """Find extra indexes, whose builds compete with those of the ROCm index."""
    for url, place in observed.subject.extra_indexes:
        shown = url.rpartition("@")[2]
        yield make_finding(
            observed.rules.by_id["R03"],
            severity=Severity.WARNING,
            seen=f"--extra-index-url {shown}: for every name, the index with the higher version wins",
            where=place,
            remedy="Name the ROCm wheels by URL and hash, as `rdna1-lock resolve` writes them.",
            commands=install_stack(observed) if not observed.subject.installed else (),
        )


@subject_check("R02", scopes=BOTH)
def mixed_labels(observed: Observed) -> Iterator[Finding]:
    """Find members of the family from different builds, by their labels."""
    subject, labels = observed.subject, _labels(observed)
    if len(set(labels.values())) > 1:
        listed = ", ".join(f"{name} ({label})" for name, label in labels.items())
        second = subject.first(list(labels)[1])
        yield make_finding(
            observed.rules.by_id["R02"],
            seen=f"different builds together: {listed}",
            where=subject.place(second),
            commands=install_stack(observed),
        )


def _labels(observed: Observed) -> dict[str, str]:
    """Return the local label of each member of the family whose version is known."""
    found = {}
    for name in observed.rules.family:
        if (pinned := observed.subject.pinned(name)) is not None:
            found[name] = pinned[1].local or "no label"
    return found


@subject_check("R02", scopes=INSTALLED)
def mixed_libraries(observed: Observed) -> Iterator[Finding]:
    """Find a torchvision whose extension is linked with CUDA's libraries, whatever its label."""
    subject, files = observed.subject, observed.subject.torch_files
    if files is None or not files.hip or len(set(_labels(observed).values())) > 1:
        return
    cuda = [name for name in files.vision_needs if "cuda" in name]
    if cuda:
        yield make_finding(
            observed.rules.by_id["R02"],
            seen=f"torchvision's extension is linked with {', '.join(cuda[:3])}, and torch is for ROCm",
            where=subject.place(subject.first("torchvision")),
            commands=install_stack(observed),
        )


@subject_check("R02", scopes=BOTH)
def other_release(observed: Observed) -> Iterator[Finding]:
    """Find releases that were not made for each other."""
    subject = observed.subject
    if (found := subject.pinned("torch")) is None:
        return
    torch, version = found
    for name in observed.rules.family:
        pinned, partners = subject.pinned(name), _partners(observed, name, version)
        if pinned is None or not partners or pinned[1].public in partners:
            continue
        right = " or ".join(sorted(partners))
        yield make_finding(
            observed.rules.by_id["R02"],
            seen=f"{pinned[0].text} with {torch.text}, whose partner is {name} {right}",
            where=subject.place(pinned[0]),
            commands=install_stack(observed),
        )


def _partners(observed: Observed, name: str, torch: Version) -> set[str]:
    return {
        release
        for build in observed.rules.builds
        if build.torch == torch.public and (release := build.release(name)) is not None
    }


@subject_check("R07", scopes=BOTH)
def faulty_series(observed: Observed) -> Iterator[Finding]:
    """Find ROCm 5.3 and newer without code for these cards."""
    subject, rocm = observed.subject, observed.subject.rocm
    if rocm is None or observed.bound("R07") is None or observed.has_native_code:
        return
    torch = subject.first("torch")
    yield make_finding(
        observed.rules.by_id["R07"],
        seen=f"{torch.text if torch else 'torch'} is for ROCm {rocm}",
        where=subject.place(torch),
        commands=install_stack(observed),
    )


@subject_check("R07", scopes=BOTH)
def known_failures(observed: Observed) -> Iterator[Finding]:
    """Report what happened on RDNA1 cards with this very torch."""
    subject, rocm = observed.subject, observed.subject.rocm
    if (found := subject.pinned("torch")) is None or rocm is None:
        return
    if observed.bound("R07") is None and not observed.rules.is_native(rocm):
        return  # failures of the series that work have rules of their own, such as R01
    torch, version = found
    for entry in observed.known:
        if (
            not entry.works
            and entry.torch.contains(version.public, prereleases=True)
            and entry.rocm.contains(rocm, prereleases=True)
        ):
            yield make_finding(
                observed.rules.by_id["R07"],
                severity=Severity.INFO,
                seen=f"reported on {', '.join(entry.gpus)} with torch {version}: {entry.what} ({entry.source})",
                where=subject.place(torch),
            )
