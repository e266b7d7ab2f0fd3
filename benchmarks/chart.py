"""The chart: a panel of bars for each column, drawn as SVG that can be read on light and dark pages."""

from __future__ import annotations

from xml.sax.saxutils import escape

from jobfleet.benchmarks.columns import COLUMNS, Column
from jobfleet.benchmarks.targets import OURS, Rounds

#: The columns that are drawn.
DRAWN = ("drain", "single", "bulk", "fleet_us", "server_us", "pick_p50", "late_p95", "memory_mb")

#: Pixels: a panel with its margin, its head, a bar with its gap, the names beside the bars and the numbers behind them.
PANEL, MARGIN, HEAD, BAR, NAMES, NUMBERS = 440, 24, 44, 22, 92, 76

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 } .soft { fill: #57606a; font-size: 12px }
.bar { fill: #afb8c1 } .ours { fill: #1f6feb }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .soft { fill: #8d96a0 } .bar { fill: #484f58 } .ours { fill: #58a6ff }
}"""


def draw(samples: dict[str, Rounds]) -> str:
    """The whole picture, two panels beside each other."""
    columns = [column for column in COLUMNS if column.key in DRAWN]
    height = HEAD + BAR * len(samples) + MARGIN
    parts = []
    for index, column in enumerate(columns):
        x = MARGIN + (PANEL + MARGIN) * (index % 2)
        y = MARGIN + height * (index // 2)
        parts.append(f'<g transform="translate({x},{y})">{_panel(column, samples)}</g>')
    width, total = 2 * PANEL + 3 * MARGIN, MARGIN + height * -(-len(columns) // 2)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" height="{total}" role="img">'
    return "\n".join(
        [head, "<title>FairBroker beside other job systems</title>", f"<style>{STYLE}</style>", *parts, "</svg>\n"]
    )


def _panel(column: Column, samples: dict[str, Rounds]) -> str:
    values = {name: column.value(rounds) for name, rounds in samples.items()}
    most = max((value for value in values.values() if value is not None), default=1.0) or 1.0
    better = "more is better" if column.higher_is_better else "less is better"
    parts = [
        f'<text class="title" y="12">{escape(column.title)}</text>',
        f'<text class="soft" y="30">{escape(column.unit)}, {better}</text>',
    ]
    for index, (name, value) in enumerate(values.items()):
        parts.append(_bar(HEAD + BAR * index, name, value, most, column))
    return "".join(parts)


def _bar(y: int, name: str, value: float | None, most: float, column: Column) -> str:
    length = (PANEL - NAMES - NUMBERS) * (value or 0.0) / most
    kind = "bar ours" if name == OURS else "bar"
    return (
        f'<text y="{y + 12}" class="{"title" if name == OURS else ""}">{escape(name)}</text>'
        f'<rect class="{kind}" x="{NAMES}" y="{y}" width="{max(length, 1):.1f}" height="{BAR - 7}" rx="2"/>'
        f'<text x="{NAMES + max(length, 1) + 6:.1f}" y="{y + 12}">{column.text(value)}</text>'
    )
