"""The default index is the one that the user's pip uses; no host is written down here."""

from __future__ import annotations

import os


def default_index_url() -> str:
    """Return pip's ``index-url`` setting, else pip's own built-in index."""
    url = os.environ.get("PIP_INDEX_URL")
    if url:
        return url
    # pip is the one that knows its files and their order; both modules are small.
    from pip._internal.configuration import Configuration
    from pip._internal.exceptions import ConfigurationError

    configuration = Configuration(isolated=False)
    try:
        configuration.load()
    except ConfigurationError:
        pass
    else:
        settings = dict(configuration.items())
        for section in ("install", "global"):
            for value in _values(settings, f"{section}.index-url"):
                return value
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url)


def _values(settings: dict[str, object], key: str) -> list[str]:
    # pip >= 25 keeps one table per file, older releases one table for all.
    found = [settings[key]] if key in settings else []
    found += [table[key] for table in settings.values() if isinstance(table, dict) and key in table]
    return [str(value) for value in reversed(found)]
