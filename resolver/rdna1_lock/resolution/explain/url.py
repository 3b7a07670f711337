"""Why the wheel behind a direct reference (PEP 440, ``NAME @ URL``) cannot be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdna1_lock.model import Wheel
from rdna1_lock.resolution.explain.project import target_words
from rdna1_lock.resolution.explain.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdna1_lock.resolution.model import Requirement
    from rdna1_lock.resolution.provider import Provider


def url_reasons(provider: Provider, wanted: Sequence[Requirement]) -> list[Reason]:
    """Say why no wheel of the URLs that are asked for can be taken."""
    project = wanted[0].project
    urls = sorted({item.url for item in wanted if item.url})
    if len(urls) > 1:
        return [Reason(text=f"one project cannot come from {len(urls)} URLs: {', '.join(urls)}")]
    wheel = provider.finder.wheel_at(project, urls[0])
    if isinstance(wheel, Wheel):
        return [Reason(text=f"the wheel at {urls[0]} is {project} {wheel.version}")]
    text = {
        "tags": f"the wheel at {urls[0]} is for {wheel.reason}, not for {target_words(provider)}",
        "python": f"the wheel at {urls[0]} needs Python {wheel.reason}",
    }.get(wheel.kind, f"{urls[0]} {wheel.reason}")
    return [
        Reason(
            text=text,
            rule=wheel.rule,
            headline=f"`{project}` cannot be taken from its URL",
        )
    ]
