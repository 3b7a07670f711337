"""Remove the paths and names of a machine from what is shared."""

from __future__ import annotations

import os
import pwd
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


# Names such as these identify nobody, and occur in honest text.
COMMON = frozenset({"root", "localhost", "user"})


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What would give a machine and its user away."""

    home: Path
    user: str
    host: str


def identify(environ: Mapping[str, str]) -> Identity:
    """Return the identity of this process: from its variables, else from the system."""
    try:
        account = pwd.getpwuid(os.getuid())
        name, home = account.pw_name, account.pw_dir
    except KeyError:  # a container may run with a uid that has no account
        name, home = "", "/"
    logged_in = (environ.get(key) for key in ("LOGNAME", "USER"))
    return Identity(
        home=Path(environ.get("HOME") or home),
        user=next(filter(None, logged_in), name),
        host=socket.gethostname(),
    )


class Scrubber:
    """Rewrites strings: the environment becomes ``$ENV``, the home folder ``~``."""

    def __init__(
        self, environment: Path, wheel_house: Path | None = None, *, identity: Identity
    ) -> None:
        package = Path(__file__).resolve().parents[2]
        pairs: dict[str, str] = {}
        for path, name in (
            (environment, "$ENV"),
            (wheel_house, "$LOCK"),
            (package, "$RDNA1_LOCK"),
            (identity.home, "~"),
        ):
            if path is not None:
                # Not the path as it was given: a relative one such as "env" is part of many words.
                for text in {str(path.absolute()), str(path.resolve())}:
                    if len(text) > 1:
                        pairs.setdefault(text, name)
        self._paths = sorted(pairs.items(), key=lambda pair: -len(pair[0]))
        words = {"USER": identity.user, "HOST": identity.host}
        self._words = [
            (re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])"), f"${name}")
            for name, word in words.items()
            if word and word not in COMMON
        ]
        self._home = re.compile(r"/(?:home|Users|root)/[^/\s\"']+|/root(?=/)")

    def text(self, value: str) -> str:
        """Return a string without the paths and names of this machine."""
        for path, name in self._paths:
            value = value.replace(path, name)
        value = self._home.sub("~", value)
        for pattern, name in self._words:
            value = pattern.sub(name, value)
        return value

    def all(self, value: Any) -> Any:
        """Return JSON data with every string rewritten, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.all(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.all(item) for item in value]
        return value
