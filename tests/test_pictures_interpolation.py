"""What Grafana puts in place of variables and macros, before a dashboard's question is asked."""

from __future__ import annotations

from typing import Any

import pytest

from jobfleet.pictures.interpolation import ALL, Interpolation

START, END = 1_700_000_000.0, 1_700_003_600.0


def variable(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "current": {"value": value}, "options": [], **more}


DASHBOARD = {
    "templating": {
        "list": [
            variable("namespace", ALL, includeAll=True, allValue=".*"),
            variable("queue", ["email", "a.b"], multi=True, includeAll=True),
            variable("one", "email", multi=True),
            variable("tenant", "o'brien"),
            variable("plan", ALL, includeAll=True, options=[{"value": ALL}, {"value": "free"}, {"value": "pro"}]),
        ]
    }
}


def interpolation(**chosen: Any) -> Interpolation:
    return Interpolation(DASHBOARD, start=START, end=END, scrape=15.0, chosen=chosen)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ('{namespace=~"$namespace"}', '{namespace=~".*"}'),
        ('{queue=~"$queue"}', r'{queue=~"(email|a\\.b)"}'),
        ('{queue=~"${one}"}', '{queue=~"email"}'),
        ('{plan=~"[[plan]]"}', '{plan=~"(free|pro)"}'),
        ('{queue=~"${queue:pipe}"}', '{queue=~"email|a.b"}'),
        ("x[$__rate_interval]", "x[60s]"),
        ("x[$__range] + ${__range_s}", "x[3600s] + 3600"),
        ("x[$__interval]", "x[15s]"),
    ],
)
def test_promql(asked: str, expected: str) -> None:
    assert interpolation().promql(asked) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("queue IN ($queue)", "queue IN ('email','a.b')"),
        ("tenant_id = ${tenant:sqlstring}", "tenant_id = 'o''brien'"),
        ("queue ~ '${queue:regex}'", r"queue ~ '(email|a\.b)'"),
        ("$__timeFilter(at)", "at BETWEEN '2023-11-14T22:13:20.000Z' AND '2023-11-14T23:13:20.000Z'"),
        ("at < $__timeTo()", "at < '2023-11-14T23:13:20.000Z'"),
        ("$__timeGroupAlias(at, '5m')", 'floor(extract(epoch from at)/300)*300 AS "time"'),
        ("$__timeGroup(at, $__interval)", "floor(extract(epoch from at)/15)*15"),
        ("$__time(at)", 'at AS "time"'),
    ],
)
def test_sql(asked: str, expected: str) -> None:
    assert interpolation().sql(asked) == expected


def test_what_is_chosen_comes_before_what_the_dashboard_says() -> None:
    assert interpolation(queue="webhook").promql("$queue") == "webhook"


def test_a_point_comes_no_more_often_than_a_scrape_and_no_graph_has_too_many() -> None:
    day = Interpolation(DASHBOARD, start=START, end=START + 86_400, scrape=15.0)

    assert interpolation().step == 15
    assert day.step == 300
    assert day.promql("[$__rate_interval]") == "[315s]"


@pytest.mark.parametrize("asked", ["$nothing", "${queue:backwards}"])
def test_what_grafana_does_not_know_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match=r"is no variable of the dashboard|is of no known format"):
        interpolation().promql(asked)


@pytest.mark.parametrize("asked", ["$__weekFilter(at)", "$__timeGroup(at, 5 minutes)"])
def test_macros_that_postgresql_would_not_get_are_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="is no known macro|is no duration"):
        interpolation().sql(asked)
