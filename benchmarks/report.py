"""A run's results as text: for the terminal, for ``results.json`` and for the README."""

from __future__ import annotations

from typing import Any

from jobfleet.benchmarks.columns import COLUMNS, Column
from jobfleet.benchmarks.targets import OURS, TARGETS, Rounds

BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def figures(samples: dict[str, Rounds]) -> dict[str, dict[str, float | None]]:
    """Every column's figure of every contender."""
    return {name: {column.key: column.value(rounds) for column in COLUMNS} for name, rounds in samples.items()}


def best(column: Column, samples: dict[str, Rounds]) -> str:
    """The contender at the top of a column."""
    known = {name: value for name, rounds in samples.items() if (value := column.value(rounds)) is not None}
    choose = max if column.higher_is_better else min
    return choose(known, key=lambda name: known[name]) if known else ""


def rows(samples: dict[str, Rounds], notes: dict[str, dict[str, str]]) -> list[list[str]]:
    """The table: a row for each column of figures, with the best in bold."""
    table = []
    for column in COLUMNS:
        top = best(column, samples)
        cells = []
        for name, rounds in samples.items():
            text = notes.get(name, {}).get(column.key) or column.text(column.value(rounds))
            cells.append(f"**{text}**" if name == top else text)
        table.append([f"{column.title} ({column.unit})" if column.unit else column.title, *cells])
    return table


def target_rows(samples: dict[str, Rounds]) -> list[list[str]]:
    """Each target, what was reached, and whether that keeps it."""
    table = []
    for target in TARGETS:
        figure = target.reached(samples)
        if figure is not None:
            title = next(column.title for column in COLUMNS if column.key == target.column)
            reached = f"{figure:.2f}{' times' if target.ratio else ' ms'}"
            table.append([title, target.text(), reached, "yes" if target.kept(figure) else "**no**"])
    return table


def markdown(result: dict[str, Any], samples: dict[str, Rounds], notes: dict[str, dict[str, str]]) -> str:
    """All of a run for the README."""
    parts = [", ".join(f"{name}: {value}" for name, value in result["machine"].items()) + "."]
    parts.append("Releases: " + ", ".join(f"{name} {number}" for name, number in result["versions"].items()) + ".")
    parts.append(f"`{result['command']}`, {result['rounds']} rounds.")
    if samples:
        parts.append(grid(["", *samples], rows(samples, notes)))
    if goals := target_rows(samples):
        parts.append(grid([f"{OURS} against Dramatiq", "target", "reached", "kept"], goals))
    parts.extend(
        grid([extra, ""], [[name, value] for name, value in result[extra]["summary"].items()])
        for extra in ("growth", "recorder")
        if extra in result
    )
    return "\n\n".join(parts)


def grid(head: list[str], body: list[list[str]]) -> str:
    """A Markdown table, aligned so that it can be read in a terminal too."""
    lines = [head, *body]
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    ruled = [head, ["-" * width if not index else "-" * (width - 1) + ":" for index, width in enumerate(widths)], *body]
    return "\n".join("| " + " | ".join(_cells(line, widths)) + " |" for line in ruled)


def published(readme: str, text: str) -> str:
    """The README with a new text between its two markers."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _cells(line: list[str], widths: list[int]) -> list[str]:
    return [
        text.ljust(width) if not index else text.rjust(width)
        for index, (text, width) in enumerate(zip(line, widths, strict=True))
    ]
