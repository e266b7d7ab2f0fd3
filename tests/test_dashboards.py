"""The dashboards' JSON: fresh, whole, and such that any Grafana of version 11 or newer can read it."""

from __future__ import annotations

import re
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from dashboards import FOLDER, all_asked, all_panels, dashboards, links, panels
from house import HOUSE
from wait import present

from jobfleet.grafana import build
from jobfleet.grafana.prom_query import PROMETHEUS
from jobfleet.grafana.sql_query import POSTGRES
from jobfleet.monitoring.admin.routes import ROUTES
from jobfleet.monitoring.metrics import ATTEMPTS, COUNTERS, DURATIONS, PREFIX

#: Alerts, runbooks and links name these.
UIDS = {
    "overview": "jobfleet-overview",
    "queue": "jobfleet-queue",
    "dead-letters": "jobfleet-dead-letters",
    "tenants": "jobfleet-tenants",
    "workers": "jobfleet-workers",
    "slo": "jobfleet-slo",
}
#: What is drawn; each of them is part of every Grafana.
TYPES = {"timeseries", "stat", "table", "bargauge"}
#: Functions that look back; their windows follow the chosen time or the step, or are those that alerts look at.
WINDOW = re.compile(r"(\w+)\(jobfleet_\w+\{[^}]*\}\[([^\]]+)\]\)")
ALERTS_WINDOWS = {"5m", "15m", "30m", "1h", "6h", "1d", "3d"}

PROMETHEUS_ASKED = [question for question in all_asked() if "expr" in question.target]
SQL_ASKED = [question for question in all_asked() if "rawSql" in question.target]


def test_the_committed_json_is_what_the_catalogue_makes() -> None:
    committed = {path.name: path.read_text() for path in FOLDER.glob("*.json")}

    assert committed == build(), "make dashboards writes them anew"


def test_dashboards_keep_their_uids_and_are_found_by_their_tag() -> None:
    assert {name: dashboard["uid"] for name, dashboard in dashboards().items()} == UIDS
    for dashboard in dashboards().values():
        assert dashboard["tags"] == ["jobfleet"]
        assert dashboard["schemaVersion"] == 39
        assert dashboard["id"] is None
        assert (dashboard["links"][0]["type"], dashboard["links"][0]["tags"]) == ("dashboards", ["jobfleet"])


def test_a_panel_says_what_it_is_in_which_unit_and_from_where() -> None:
    for name, panel in all_panels():
        what = f"{name}: {panel['title']}"
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["type"] in TYPES, what
        assert panel["title"], what
        assert panel["description"].endswith("."), what
        assert defaults["unit"], what
        assert defaults["thresholds"]["steps"][0]["value"] is None, what
        assert panel["datasource"] in (PROMETHEUS, POSTGRES), what
        assert panel["targets"], what
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"]), what


def test_names_of_series_are_readable() -> None:
    unnamed = [
        f"{name}: {panel['title']}"
        for name, panel in all_panels()
        for target in panel["targets"]
        if panel["type"] == "timeseries" and target.get("legendFormat") == "__auto"
    ]

    assert unnamed == []


@pytest.mark.parametrize("name", UIDS)
def test_panels_have_names_and_places_of_their_own(name: str) -> None:
    dashboard = dashboards()[name]
    shown = panels(dashboard)

    assert len({panel["title"] for panel in shown}) == len(shown)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for one, other in combinations(dashboard["panels"], 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), f"{one['title']} lies on {other['title']}"
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in shown)


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def test_windows_follow_what_is_looked_at() -> None:
    for question in PROMETHEUS_ASKED:
        for function, window in WINDOW.findall(question.text):
            allowed = {"$__rate_interval", "$__range"} | (ALERTS_WINDOWS if function.endswith("_over_time") else set())
            assert window in allowed, f"{question}: {function} over {window}"
        assert question.text.count("[") == len(WINDOW.findall(question.text)), question


def test_several_monitors_and_fleets_change_no_number() -> None:
    # Given each metric that is asked for
    for question in PROMETHEUS_ASKED:
        for found in re.finditer(r"jobfleet_\w+\{([^}]*)\}", question.text):
            # Then the fleet is the chosen one, and the largest (or least) of all monitors is taken before any sum
            assert 'namespace=~"$namespace"' in found[1], question
            before = re.sub(r"(rate|(last|min|count)_over_time)\($", "", question.text[: found.start()])
            assert re.search(r"\b(max|min)(\(| by \([^()]*\) \()$", before), f"{question}: {found[0]}"


def test_counters_that_are_asked_for_are_in_the_catalogue() -> None:
    known = {f"{PREFIX}{metric.name}_total" for metric in COUNTERS}
    known |= {
        f"{PREFIX}{metric.name}_{part}" for metric in (*DURATIONS, ATTEMPTS) for part in ("bucket", "sum", "count")
    }

    text = " ".join(question.text for question in PROMETHEUS_ASKED)

    assert set(re.findall(r"jobfleet_\w+(?:_total|_bucket|_sum|_count)\b", text)) <= known


def test_what_is_recorded_for_dashboards_is_recorded() -> None:
    text = " ".join(question.text for question in PROMETHEUS_ASKED)
    asked_for = set(re.findall(r"\b(\w+:\w+:\w+)\{namespace=~\"\$namespace\", ", text))
    groups = yaml.safe_load((HOUSE / "deploy/prometheus/rules/recording.yml").read_text())["groups"]

    assert asked_for
    assert text.count(":ratio_rate") == len(re.findall(r":\w+\{namespace=~\"\$namespace\", ", text))
    assert asked_for <= {rule["record"] for group in groups for rule in group["rules"]}


def test_statements_are_bounded() -> None:
    bounds = ("$__timeFilter(job_logs.created_at)", "$__timeFilter(failed_at)", "status = 'active'")
    for question in SQL_ASKED:
        reads_log = re.search(r"\b(job_logs|job_attempts|dead_letters)\b", question.text)
        assert not reads_log or any(bound in question.text for bound in bounds), question
        assert re.search(r"\bLIMIT \d+|\bFROM plans\b|place <= \d", question.text), question


@pytest.mark.parametrize("name", UIDS)
def test_variables_are_there_and_used(name: str) -> None:
    dashboard = dashboards()[name]
    there = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    text = (FOLDER / f"{name}.json").read_text()

    used = set(re.findall(r"\$\{?(?!__)(\w+)", text))
    assert used <= set(there), "used and not there"
    assert set(there) <= used, "there and not used"
    assert {"prometheus", "postgres", "namespace", "queue"} <= set(there)
    for variable in ("prometheus", "postgres"):
        assert there[variable]["type"] == "datasource"
    for variable in ("namespace", "queue"):
        assert (there[variable]["includeAll"], there[variable]["allValue"]) == (True, ".*")


@pytest.mark.parametrize("name", UIDS)
def test_links_lead_somewhere(name: str) -> None:
    pages = {route.path: route for route in ROUTES if route.method == "GET"}

    for link in links(dashboards()[name]):
        address = re.sub(r"\$\{__value\.text\}|\$\{__field\.labels\.\w+\}", "x", link)
        if address.startswith("/d/"):
            assert urlsplit(address).path.removeprefix("/d/") in UIDS.values(), link
            continue
        where = urlsplit(address.removeprefix("${admin}"))
        route = next((pages[path] for path in pages if re.fullmatch(re.sub(r"\{\w+\}", "x", path), where.path)), None)
        assert route, link
        route.takes.model_validate({key: value for key, (value,) in parse_qs(where.query).items()})


def test_a_click_on_a_queue_leads_to_its_dashboard() -> None:
    (queues,) = (panel for name, panel in all_panels() if (name, panel["title"]) == ("overview", "Queues"))

    (cell,) = (one for one in queues["fieldConfig"]["overrides"] if one["matcher"]["options"] == "Queue")

    (given,) = (one["value"] for one in cell["properties"] if one["id"] == "links")
    assert given[0]["url"].startswith("/d/jobfleet-queue?var-queue=${__value.text}&${__url_time_range}")


def test_alerts_lead_to_dashboards_that_know_what_they_say() -> None:
    groups = yaml.safe_load((HOUSE / "deploy/prometheus/rules/alerts.yml").read_text())["groups"]
    addresses = [rule["annotations"]["dashboard_url"] for group in groups for rule in group["rules"]]

    assert addresses
    for address in addresses:
        uid = present(re.search(r"/d/([\w-]+)", address))[1]
        (dashboard,) = (one for one in dashboards().values() if one["uid"] == uid)
        there = {variable["name"] for variable in dashboard["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", address)) <= there, address


def test_grafana_finds_dashboards_and_datasources_by_what_is_provisioned() -> None:
    folder = HOUSE / "grafana/provisioning"
    (sources,) = (yaml.safe_load(path.read_text()) for path in (folder / "datasources").iterdir())
    (boards,) = (yaml.safe_load(path.read_text()) for path in (folder / "dashboards").iterdir())

    types = {source["type"] for source in sources["datasources"]}
    assert {PROMETHEUS["type"], POSTGRES["type"]} <= types
    addresses = [source["url"] for source in sources["datasources"]]
    assert all(re.fullmatch(r"\$\{JOBFLEET_\w+\}", address) for address in addresses)
    scraped = yaml.safe_load((HOUSE / "deploy/prometheus/prometheus.yml").read_text())["global"]["scrape_interval"]
    assert sources["datasources"][0]["jsonData"]["timeInterval"] == scraped
    (provider,) = boards["providers"]
    assert provider["options"]["path"] == "${JOBFLEET_DASHBOARDS}"
