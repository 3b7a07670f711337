"""Take paths and names of a machine out of what is shared."""

from __future__ import annotations

import getpass
import os
import re
import socket
from pathlib import Path
from typing import Any


class Scrubber:
    """Rewrites strings: the environment is ``$ENV``, the home folder ``~``."""

    def __init__(self, environment: Path, wheel_house: Path | None = None) -> None:
        package = Path(__file__).resolve().parent.parent
        pairs: dict[str, str] = {}
        for path, name in (
            (environment, "$ENV"),
            (wheel_house, "$LOCK"),
            (package, "$RDNA1_LOCK"),
            (Path("~").expanduser(), "~"),
        ):
            if path is not None:
                # Never the path as it was named: "env" stands in many words.
                for text in {str(path.absolute()), str(path.resolve())}:
                    if len(text) > 1:
                        pairs.setdefault(text, name)
        self._paths = sorted(pairs.items(), key=lambda pair: -len(pair[0]))
        words = {"USER": _user(), "HOST": socket.gethostname()}
        self._words = [
            (re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])"), f"${name}")
            for name, word in words.items()
            # Words like these say nothing of anybody and stand in honest text.
            if word and word not in {"root", "localhost", "user"}
        ]
        self._home = re.compile(r"/(?:home|Users|root)/[^/\s\"']+|/root(?=/)")

    def text(self, value: str) -> str:
        """Return a string without what is this machine's own."""
        for path, name in self._paths:
            value = value.replace(path, name)
        value = self._home.sub("~", value)
        for pattern, name in self._words:
            value = pattern.sub(name, value)
        return value

    def all(self, value: Any) -> Any:
        """Return JSON data with every string in it rewritten, keys as well."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.all(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.all(item) for item in value]
        return value


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return os.environ.get("USER", "")
