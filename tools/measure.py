"""Print the size and shape of the code as a table: `make measure`.

Lines are those of code: neither blank nor comment nor docstring. Complexity is McCabe's, by radon;
"C or worse" means 11 or more.
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

from radon.complexity import cc_visit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def docstring_lines(tree: ast.Module) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.update(range(body[0].lineno, (body[0].end_lineno or 0) + 1))
    return found


def code_lines(text: str) -> int:
    skip = docstring_lines(ast.parse(text))
    return sum(
        1
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#") and number not in skip
    )


def comments(text: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def annotated(one: Function) -> bool:
    arguments = [*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs]
    rest = [argument for argument in arguments if argument.arg not in {"self", "cls"}]
    return one.returns is not None and all(argument.annotation for argument in rest)


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def rows(files: list[Path], tests: list[Path]) -> Iterator[tuple[str, str]]:
    texts = [path.read_text() for path in files]
    trees = [ast.parse(text) for text in texts]
    lines = [code_lines(text) for text in texts]
    every = [one for tree in trees for one in functions(tree)]
    public = [one for one in every if not one.name.startswith("_")]
    complexity = [block.complexity for text in texts for block in cc_visit(text)]
    joined = "\n".join(texts)
    total = sum(lines)
    yield "modules / code lines", f"{len(files)} / {total:,}"
    yield "median / max lines", f"{statistics.median(lines):.0f} / {max(lines)}"
    long = sum((one.end_lineno or 0) - one.lineno + 1 > 40 for one in every)
    yield "functions > 40 lines", share(long, len(every))
    worse = sum(value >= 11 for value in complexity)
    yield "mean complexity", f"{statistics.mean(complexity):.1f}"
    yield "complexity C or worse", f"{worse} of {len(complexity)}, {share(worse, len(complexity))}"
    documented = sum(ast.get_docstring(one) is not None for one in public)
    yield "public functions with docstring", share(documented, len(public))
    yield "annotated functions", share(sum(map(annotated, every)), len(every))
    yield "comments per 100 lines", f"{100 * sum(map(comments, texts)) / total:.1f}"
    yield (
        "noqa / Any",
        f"{joined.count('# noqa')} / {len(re.findall(r'[^A-Za-z_]Any[^A-Za-z_]', joined))}",
    )
    test_lines = sum(code_lines(path.read_text()) for path in tests)
    yield "test / code lines", f"{test_lines / total:.2f}"


def main() -> None:
    files = sorted((ROOT / "resolver" / "rdna1_lock").rglob("*.py"))
    tests = sorted((ROOT / "tests").rglob("*.py"))
    for name, value in rows(files, tests):
        print(f"{name:34} {value}")


if __name__ == "__main__":
    main()
