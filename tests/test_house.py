"""The plan of the house holds: which room may know which, how large a file gets, what is shipped."""

from __future__ import annotations

import ast
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from house import FLOORS, HOUSE, MODULES, Import, Module

#: Files that the house must ship beside its modules.
SHIPPED = ("*.lua", "*.sql", "templates/*", "prometheus.yml", "rules/*.yml", "alertmanager.yml")

#: Lines above which a file holds more than one noun; a file of tests may list more cases.
LINES_MAX = 250
TEST_LINES_MAX = 400


def project() -> dict[str, Any]:
    return tomllib.loads((HOUSE / "pyproject.toml").read_text())


def inner_imports(module: Module) -> list[Import]:
    return [found for found in module.imports() if found.target.split(".")[0] == "jobfleet"]


def room_of(target: str) -> str:
    return target.split(".")[1] if "." in target else ""


def test_the_house_has_rooms_with_modules() -> None:
    assert {"jobfleet.broker.fair_broker", "jobfleet.actors", "jobfleet.cli.main"} <= set(MODULES)


def test_every_package_is_a_room_with_a_floor_and_is_shipped() -> None:
    packages = {path.parent.name for path in HOUSE.glob("*/__init__.py") if path.parent.name != "build"}

    assert packages <= set(FLOORS)
    assert set(project()["tool"]["setuptools"]["packages"]) == {
        "jobfleet",
        *(module.name for module in MODULES.values() if module.path.name == "__init__.py"),
    }


def test_imports_run_downwards_and_never_between_rooms_of_one_floor() -> None:
    wrong = [
        f"{module.path.relative_to(HOUSE)}:{found.line} imports {found.target}"
        for module in MODULES.values()
        for found in inner_imports(module)
        if (other := room_of(found.target)) and other != module.room and FLOORS[other] >= FLOORS[module.room]
    ]

    assert wrong == []


def test_imports_inside_the_house_are_relative() -> None:
    wrong = [
        f"{module.path.relative_to(HOUSE)}:{found.line}"
        for module in MODULES.values()
        for found in inner_imports(module)
        if not found.relative
    ]

    assert wrong == []


def test_modules_do_not_import_each_other_in_circles() -> None:
    graph = {name: {found.target for found in inner_imports(module)} for name, module in MODULES.items()}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("room", [room for room in FLOORS if (HOUSE / room / "__init__.py").exists()])
def test_a_room_names_all_that_it_offers_in_order(room: str) -> None:
    names, offered = offered_by(MODULES[f"jobfleet.{room}"].tree)

    assert set(offered) == names
    assert offered == sorted(offered, key=constants_then_classes_then_the_rest)


def offered_by(tree: ast.Module) -> tuple[set[str], list[str]]:
    """The public names that a room's own file takes from its modules or defines, and its ``__all__``."""
    names: set[str] = set()
    offered: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            offered = ast.literal_eval(node.value)
    return {name for name in names if not name.startswith("_")}, offered


def constants_then_classes_then_the_rest(name: str) -> tuple[bool, bool, str]:
    """The order that ruff gives ``__all__``."""
    return not name.isupper(), not name[0].isupper(), name


def test_no_file_is_too_long_to_be_about_one_thing() -> None:
    sources = [path for room in (*FLOORS, "tests", "benchmarks") for path in (HOUSE / room).rglob("*.*")]
    counts = {
        str(path.relative_to(HOUSE)): len(path.read_text().splitlines())
        for path in sources
        if path.suffix in (".py", ".lua", ".sql")
    }

    def most(name: str) -> int:
        return TEST_LINES_MAX if name.startswith("tests/") else LINES_MAX

    assert {name: lines for name, lines in counts.items() if lines > most(name)} == {}


def test_every_script_statement_and_template_is_shipped() -> None:
    declared = project()["tool"]["setuptools"]["package-data"]
    shipped = {
        path
        for package, patterns in declared.items()
        for pattern in patterns
        for path in folder_of(package).glob(pattern)
    }
    needed = {path for room in FLOORS for pattern in SHIPPED for path in (HOUSE / room).rglob(pattern)}

    assert needed
    assert needed - shipped == set()


def folder_of(package: str) -> Path:
    return HOUSE.joinpath(*package.split(".")[1:])
