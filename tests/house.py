"""The house as its files are: rooms, modules and what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent

#: Room -> floor. Imports run downwards only, and never between two rooms of one floor.
FLOORS = {"broker": 0, "middleware": 1, "grafana": 1, "actors": 2, "monitoring": 2, "deploy": 2, "cli": 3}


@dataclass(frozen=True)
class Import:
    """One import statement of a module, or one of its names when it imports several modules."""

    line: int
    #: What is imported, from the top: ``jobfleet.broker.keys``, ``json``.
    target: str
    relative: bool


@dataclass(frozen=True)
class Module:
    """One Python file of a room."""

    path: Path

    @property
    def name(self) -> str:
        """Its name from the top: ``jobfleet.broker.keys``; a room's own file is named as the room."""
        parts = self.path.relative_to(HOUSE).with_suffix("").parts
        return ".".join(("jobfleet", *(part for part in parts if part != "__init__")))

    @property
    def room(self) -> str:
        """The room in which it is."""
        return self.path.relative_to(HOUSE).parts[0]

    @cached_property
    def tree(self) -> ast.Module:
        """Its source, parsed."""
        return ast.parse(self.path.read_text())

    @property
    def package(self) -> list[str]:
        """The package from which its relative imports start."""
        parts = self.name.split(".")
        return parts if self.path.name == "__init__.py" else parts[:-1]

    def imports(self) -> Iterator[Import]:
        """Everything it imports anywhere, except what only a type checker sees."""
        for node in _running_nodes(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(node.lineno, alias.name, relative=False)
            elif isinstance(node, ast.ImportFrom):
                yield from self._from(node)

    def _from(self, node: ast.ImportFrom) -> Iterator[Import]:
        start = self.package[: len(self.package) - node.level + 1] if node.level else []
        source = ".".join([*start, *([node.module] if node.module else [])])
        for alias in node.names:
            target = f"{source}.{alias.name}"
            found = target if target in MODULES else source
            yield Import(node.lineno, found, relative=node.level > 0)


def _running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        yield node
        yield from _running_nodes(node)


def _modules() -> dict[str, Module]:
    paths = sorted(path for room in FLOORS for path in (HOUSE / room).rglob("*.py"))
    return {module.name: module for module in map(Module, paths)}


#: Every module of the house by its name.
MODULES = _modules()
