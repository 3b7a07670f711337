"""Write the pages of docs/ that are made from data: `make docs-data`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from rdna1_lock.codes import CODES, MEANINGS, Exit

ROOT = Path(__file__).parents[1]


def errors_page() -> str:
    """Return docs/errors.md."""
    lines = [
        "# Exit statuses and error codes",
        "",
        "Made from `resolver/rdna1_lock/codes.py` by `make docs-data`. An error goes to standard error as",
        "`error[code]: what`, then the facts, then `hint: what to do`; with `--json` its code, message, facts",
        "and hint are on standard output as well. A code always ends with the same exit status.",
        "",
        "| exit status | meaning |",
        "|---|---|",
        *(f"| {int(status)} | {MEANINGS[status]} |" for status in Exit),
    ]
    for status, codes in groupby(CODES.items(), key=lambda item: item[1][0]):
        lines += ["", f"## Exit status {int(status)}", "", "| code | |", "|---|---|"]
        lines += [f"| `{code}` | {meaning} |" for code, (_, meaning) in codes]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every page."""
    (ROOT / "docs" / "errors.md").write_text(errors_page())


if __name__ == "__main__":
    main()
