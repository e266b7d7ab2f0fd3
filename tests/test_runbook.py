"""The runbook has a heading for each alert, and what it tells a tired person to type is there."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer
from alert_rules import ALERTS
from house import HOUSE

from jobfleet.cli.main import app
from jobfleet.monitoring.admin.routes import ROUTES

TEXT = (HOUSE / "docs/runbook.md").read_text()
#: What each section tells, in this order.
PARTS = ("Means:", "Costs:", "Look", "Do:", "Ends:")


def sections() -> dict[str, str]:
    """Alert -> its section."""
    _, *rest = re.split(r"^## (Jobfleet\w+)$", TEXT, flags=re.MULTILINE)
    return dict(zip(rest[::2], rest[1::2], strict=True))


def commands() -> list[str]:
    """Every command of ours that stands in a block or between backticks."""
    blocks = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
    inline = re.findall(r"`(jobfleet [^`]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))
    return sorted({command for command in blocks + inline if command.strip()})


def test_each_alert_has_its_heading_and_each_heading_its_alert() -> None:
    assert list(sections()) == list(dict.fromkeys(alert.name for alert in ALERTS if alert.name in sections()))
    assert set(sections()) == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("name", sorted({alert.name for alert in ALERTS}))
def test_each_section_says_what_it_means_what_to_do_and_how_it_ends(name: str) -> None:
    found = re.findall(r"^\*\*(\w+:?)", sections()[name], flags=re.MULTILINE)

    assert [part.removesuffix(":") for part in found] == [part.removesuffix(":") for part in PARTS]


def test_the_index_leads_to_each_alert_and_every_link_to_a_heading() -> None:
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)}
    index = TEXT.partition("## Find it by what you see")[2].partition("# Dead letters")[0]

    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= anchors
    assert {alert.name for alert in ALERTS} - set(re.findall(r"\[(\w+)\]", index)) <= SEEN_BY_ALERT_ONLY


#: What nobody sees before its alert comes.
SEEN_BY_ALERT_ONLY = {
    "JobfleetJobsUnaccounted",
    "JobfleetAuditFailing",
    "JobfleetBrokerMemoryHigh",
    "JobfleetMonitorInstanceDown",
    "JobfleetScrapeSlow",
}


@pytest.mark.parametrize("line", commands())
def test_each_command_is_there_and_takes_what_it_is_given(line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    assert program == "jobfleet"
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    if hasattr(command, "commands"):
        assert command.invoke_without_command, f"{line} does nothing"
        assert not [word for word in words if not word.startswith("-")]

    # Parses, and runs nothing; what is wrong raises
    with command.make_context(line, words):
        pass


def test_each_address_of_the_monitor_is_there() -> None:
    paths = [re.sub(r"\{\w+\}", r"[^/]+", route.path) for route in ROUTES]
    named = set(re.findall(r"`(/[a-z][\w/.-]*)", TEXT))

    assert "/admin/dead/groups" in named
    assert [name for name in named - {"/admin"} if not any(re.fullmatch(path, name) for path in paths)] == []


def test_what_alerts_tell_people_to_type_is_there_too() -> None:
    known: Any = typer.main.get_command(app)
    told = {name for alert in ALERTS for name in re.findall(r"jobfleet ([a-z-]+)", alert.annotations["description"])}

    assert {"dead", "queues", "check", "audit"} <= told
    assert told <= set(known.commands)
