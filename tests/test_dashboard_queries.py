"""Every panel of every dashboard asked as Grafana asks, against a Prometheus and a PostgreSQL that saw a real fleet."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import dashboard_run as story
import pytest
from dashboard_run import DashboardRun, address, configuration, seen_since
from dashboards import Asked, all_asked, asked, asked_by, dashboards
from databases import new_database
from grafana_view import STEP, View
from http_client import Client
from journal_events import rows
from processes import Process, bare_environment
from scraped import Scraped
from wait import eventually
from watching import RunPrometheus

from jobfleet import __version__
from jobfleet.broker.settings import settings
from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_redis import EmbeddedRedis
from jobfleet.grafana import metrics
from jobfleet.grafana.queue_signs import SIGN_WORDS
from jobfleet.grafana.series import PREFIX, Series

#: The fleet that the scrape gives no name to, and the one that it calls shop.
NAMELESS, SHOP = "", "shop"


@pytest.fixture(scope="module")
def environment(
    redis_server: EmbeddedRedis,
    postgres_server: EmbeddedPostgres,
    empty_database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """What the monitors get to see, and this process too while the fleet is made."""
    home = tmp_path_factory.mktemp("dashboards")
    with new_database(postgres_server.url, urlsplit(empty_database).path[1:]) as database_url:
        own = {
            "REDIS_URL": redis_server.url,
            "DATABASE_URL": database_url,
            "JOBFLEET_NAMESPACE": f"test-{uuid4().hex[:12]}",
            "JOBFLEET_HOME": str(home),
            "JOBFLEET_CONFIG": str(home / "jobfleet.toml"),
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in own.items():
                patch.setenv(name, value)
            settings.cache_clear()
            yield bare_environment() | own
        settings.cache_clear()


@pytest.fixture(scope="module")
def fleet(environment: dict[str, str]) -> Iterator[DashboardRun]:
    run = DashboardRun(environment["REDIS_URL"], environment["DATABASE_URL"], environment["JOBFLEET_NAMESPACE"])
    with run.workers():
        yield run


@pytest.fixture(scope="module")
def view(environment: dict[str, str], fleet: DashboardRun, run_prometheus: RunPrometheus) -> Iterator[View]:
    """All that happened, seen when it has happened."""
    monitor = ["jobfleet", "monitor", "--port", "0"]
    with Process(monitor, environment) as first, Process(monitor, environment) as second:
        monitors = address(first), address(second)
        with run_prometheus(configuration(*monitors)) as server, Client(server.url) as prometheus:
            start = seen_since(prometheus, 0, targets=4)
            # A burst that comes before the first look of the rules has not grown for them.
            eventually(lambda: len(looked_at(prometheus)) == 2, timeout=60)
            fleet.happen()
            with Client(monitors[0]) as monitored:
                # That runs have started is written once they last, a moment after all else.
                eventually(lambda: all_started(environment["DATABASE_URL"]) and lag(monitored) == 0)
            eventually(lambda: len(firing(prometheus)) == 2, timeout=60)
            # The last point of a graph may be a step before its end, and its samples a scrape before that.
            end = seen_since(prometheus, time.time() + 3 * STEP, targets=4)
            yield View(prometheus, environment["DATABASE_URL"], int(start) - 5, end)


def firing(prometheus: Client) -> list[object]:
    """The alert of each of the two fleets."""
    asked_for = {"query": 'ALERTS{alertname="JobfleetDeadLetterGrowing", alertstate="firing"}'}
    return list(prometheus.get("/api/v1/query", params=asked_for).json()["data"]["result"])


def looked_at(prometheus: Client) -> list[object]:
    """The counter that alerts go by, of each of the two fleets, once it has been recorded twice."""
    asked_for = {"query": 'count_over_time(queue:jobfleet_dead_lettered:total{queue="export"}[1m]) > 1'}
    return list(prometheus.get("/api/v1/query", params=asked_for).json()["data"]["result"])


def all_started(database_url: str) -> bool:
    """Whether the log knows of all the jobs that run."""
    (row,) = rows(database_url, "SELECT count(*) AS running FROM job_logs WHERE status = 'active'")
    return bool(row["running"] == story.SLOTS)


def lag(monitor: Client) -> float:
    return Scraped(monitor.get("/metrics").content).value("jobfleet_journal_lag_entries")


@pytest.mark.parametrize("question", all_asked(), ids=str)
def test_every_panel_has_something_to_show(view: View, question: Asked) -> None:
    for namespace in (NAMELESS, SHOP):
        chosen = replace(view, chosen={"namespace": namespace})

        assert chosen.answer(question), f"{question} shows nothing with the namespace {namespace!r}"


def test_what_is_chosen_is_what_is_shown(view: View) -> None:
    # Given all fleets, and two of the queues
    chosen = ["email", "image-processing"]
    some = replace(view, chosen={"queue": chosen})

    for question in all_asked():
        # Then whatever tells of queues tells of these
        if "rawSql" in question.target:
            shown = [row["Queue"] for row in some.answer(question) if "Queue" in row]
        else:
            shown = [one["metric"]["queue"] for one in some.series(question.text) if "queue" in one["metric"]]
        assert set(shown) <= set(chosen), question


@pytest.mark.parametrize("name", dashboards())
def test_every_list_to_choose_from_has_something(view: View, name: str) -> None:
    for variable in dashboards()[name]["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
            found = view.prometheus.get(f"/api/v1/label/{label}/values", params={"match[]": view.filled(selector)})
            assert found.json()["data"], f"nothing to choose for {variable['name']}"


@pytest.mark.parametrize("name", dashboards())
def test_alerts_are_marked_on_every_graph(view: View, name: str) -> None:
    (alerts,) = dashboards()[name]["annotations"]["list"]

    marks = view.series(alerts["expr"])

    assert {"JobfleetDeadLetterGrowing"} <= {mark["metric"]["alertname"] for mark in marks}
    assert "JobfleetWatchdog" not in {mark["metric"]["alertname"] for mark in marks}


@pytest.mark.parametrize(
    "series", [one for one in vars(metrics).values() if isinstance(one, Series)], ids=lambda one: one.name
)
def test_every_metric_that_is_asked_for_is_exported_with_its_labels(view: View, series: Series) -> None:
    names = (f"{PREFIX}{series.name}{part}" for part in ("", "_bucket"))
    asked_for = {"match[]": f'{{__name__=~"{"|".join(names)}"}}'}

    found = view.prometheus.get("/api/v1/series", params=asked_for).json()["data"]

    assert found
    assert {frozenset(one) - {"__name__", "instance", "job", "namespace", "le"} for one in found} == {
        frozenset(series.labels)
    }


@pytest.mark.parametrize("namespace", [NAMELESS, SHOP])
def test_the_headlines_are_what_somebody_else_counts(view: View, fleet: DashboardRun, namespace: str) -> None:
    seen = replace(view, chosen={"namespace": namespace})

    def shown(dashboard: str, panel: str, ref: str = "A") -> float:
        return seen.value(asked(dashboard, panel, ref))

    def counted(query: str) -> float:
        return float(next(iter(rows(view.database_url, query)[0].values())))

    # What died is what the log has, and what is dead is what the keys hold
    dead = fleet.broker.client.zcard(f"{fleet.broker.keys.prefix}:dead:export")
    assert dead == story.DYING - story.REPLAYED - story.DISCARDED
    for dashboard in ("overview", "queue", "dead-letters"):
        assert shown(dashboard, "New dead letters") == counted("SELECT count(*) FROM dead_letters") == story.DYING
        assert shown(dashboard, "Dead letters") == dead
    assert shown("dead-letters", "Replayed") == story.REPLAYED
    assert shown("dead-letters", "Discarded") == story.DISCARDED
    sent = counted("SELECT count(*) FROM job_logs")
    assert shown("dead-letters", "Of accepted jobs") == pytest.approx(story.DYING / sent)

    # What runs and waits is what was sent
    ended = "SELECT count(*) FROM job_attempts WHERE outcome <> 'running'"
    bad = counted(f"{ended} AND outcome IN ('failed', 'retry', 'lost')")
    assert bad == story.DYING + story.RETRIED + 1
    assert shown("overview", "Failing runs") == pytest.approx(bad / counted(ended))
    assert shown("overview", "Running") == counted("SELECT count(*) FROM job_logs WHERE status = 'active'")
    assert shown("overview", "Running") == story.SLOTS
    assert shown("overview", "Waiting") == story.WAITING + story.UNSERVED
    assert shown("queue", "Parked") == story.HELD - story.SLOTS
    assert shown("queue", "Scheduled") == 1
    assert shown("queue", "Paused") == 1
    oldest = counted("SELECT extract(epoch FROM min(created_at)) FROM job_logs WHERE queue = 'notification'")
    objective = settings().queue("notification").wait_objective_ms / 1000
    assert shown("overview", "Worst wait") == pytest.approx((view.end - oldest) / objective, abs=0.2)

    # What tenants sent is what was let in or refused
    assert shown("tenants", "Let in") == sent
    assert shown("tenants", "Refused") == story.REFUSED
    assert shown("tenants", "Share refused") == pytest.approx(story.REFUSED / (story.REFUSED + sent))

    # What workers there are is what was started, and what watches them works
    for dashboard in ("workers", "queue"):
        assert shown(dashboard, "Workers") == 1
    assert shown("workers", "Threads") == story.THREADS
    for dashboard in ("workers", "queue", "overview"):
        assert shown(dashboard, "Threads at work") == pytest.approx(story.SLOTS / story.THREADS)
    for dashboard in ("overview", "workers"):
        assert (
            shown(dashboard, "Workers lost") == counted("SELECT count(*) FROM job_attempts WHERE outcome = 'lost'") == 1
        )
    assert shown("workers", "Late outcomes") == 1
    assert shown("workers", "Unserved queues") == 1
    assert shown("slo", "Left out") == counted("SELECT left_out FROM recorder_position") == 1
    assert shown("slo", "Log is behind") == shown("slo", "Events to write") == 0
    assert shown("slo", "Unaccounted jobs") == 0
    assert shown("slo", "Monitors") == 2
    assert seen.values(asked("slo", "Sources"), "source") == [(("postgres",), 1), (("redis",), 1)]

    assert seen.values(asked("slo", "Version"), "version") == [((__version__,), 1)]

    # What alerts fire is what Prometheus says
    alerts = view.prometheus.get("/api/v1/alerts").json()["data"]["alerts"]
    for panel, severity in (("Critical alerts", "critical"), ("Warnings", "warning")):
        found = [
            alert
            for alert in alerts
            if alert["state"] == "firing"
            and alert["labels"]["severity"] == severity
            and alert["labels"].get("namespace", NAMELESS) in (namespace, NAMELESS)
        ]
        assert shown("overview", panel) == len(found)


@pytest.mark.parametrize("namespace", [NAMELESS, SHOP])
def test_headlines_of_time_are_what_the_log_says(view: View, namespace: str) -> None:
    seen = replace(view, chosen={"namespace": namespace})

    def shown(dashboard: str, panel: str, ref: str = "A") -> float:
        return seen.value(asked(dashboard, panel, ref))

    def counted(query: str) -> float:
        return float(next(iter(rows(view.database_url, query)[0].values())))

    def seconds_since(moment: str, where: str) -> float:
        return view.end - counted(f"SELECT extract(epoch FROM min({moment})) FROM {where}")

    # What started late is what waited too long for a worker that allowed little
    started = counted("SELECT count(*) FROM job_attempts")
    late = counted(
        "SELECT count(*) FROM job_attempts JOIN job_logs USING (job_id) "
        f"WHERE queue = 'analytics' AND job_attempts.wait_ms > {story.OBJECTIVE_MS}"
    )
    assert late == story.LATE
    assert shown("slo", "Started") == started
    assert shown("slo", "Started late") == late
    assert shown("slo", "Started in time") == pytest.approx(1 - late / started)
    burnt = late / (story.LATE + story.IN_TIME) / 0.01
    for ref in ("A", "B", "C", "D"):
        assert shown("slo", "Budget burns, by window", ref) == pytest.approx(burnt)

    # What has not ended counts from when it began, to the last scrape
    near = 5
    oldest = seconds_since("created_at", "job_logs WHERE queue = 'notification'")
    limit = settings().queue("image-processing").time_limit_ms / 1000
    runs = seconds_since("started_at", "job_attempts WHERE outcome = 'running'")
    waiting = replace(view, chosen={"namespace": namespace, "queue": ["notification"]})
    objective = settings().queue("notification").wait_objective_ms / 1000
    assert waiting.value(asked("queue", "Oldest wait")) == pytest.approx(oldest, abs=near)
    assert waiting.value(asked("queue", "Of its objective")) == pytest.approx(oldest / objective, abs=near / objective)
    assert shown("queue", "Oldest run, of its limit") == pytest.approx(runs / limit, abs=near / limit)
    dead = seconds_since("failed_at", "dead_letters WHERE status = 'dead'")
    assert shown("dead-letters", "Oldest") == pytest.approx(dead, abs=near)

    # And what was done per second over the whole time is what was done, as near as rate() comes to it
    whole = asked("overview", "Done per second").text.replace("$__rate_interval", "$__range")
    ((_, pace),) = [one["value"] for one in seen.series(whole)]
    done = counted("SELECT count(*) FROM job_logs WHERE status = 'completed'")
    assert float(pace) * round(view.end - view.start) == pytest.approx(done, rel=0.25)


def test_dead_letters_are_shown_with_whose_they_are_and_on_which_plan(view: View) -> None:
    # Given the tenant rich, which is on the plan pro, and of whose dead letters some were replayed or discarded
    dead = story.DYING - story.REPLAYED - story.DISCARDED

    def shown(panel: str, *columns: str) -> list[tuple[object, ...]]:
        return [tuple(row[column] for column in columns) for row in view.answer(asked("dead-letters", panel))]

    assert shown("By plan", "Plan", "Jobs", "Tenants") == [("pro", dead, 1)]
    assert shown("By tenant", "Tenant", "Plan", "Jobs") == [("rich", "pro", dead)]
    assert shown("Newest", "Tenant", "Plan") == [("rich", "pro")] * dead


@pytest.mark.parametrize("namespace", [NAMELESS, SHOP])
def test_the_table_of_queues_says_where_something_is_wrong(view: View, namespace: str) -> None:
    seen = replace(view, chosen={"namespace": namespace})

    def column(title: str) -> dict[str, float]:
        return {queue: number for (queue,), number in seen.values(asked_by("overview", "Queues", title), "queue")}

    # Then every queue has a row, and those in which something happened stand out
    signs = column("Sign")
    assert set(signs) == set(settings().queues)
    assert {SIGN_WORDS[int(signs[queue])][0] for queue in ("email", "report", "ai", "image-processing")} == {"well"}
    assert SIGN_WORDS[int(signs["cleanup"])][0] == "no worker"
    assert SIGN_WORDS[int(signs["export"])][0] == "dead letters grow"
    assert SIGN_WORDS[int(signs["notification"])][0] in ("paused", "late")
    assert column("New dead")["export"] == story.DYING
    assert column("Waiting")["notification"] == story.WAITING
    assert column("Parked")["image-processing"] == story.HELD - story.SLOTS
    assert column("At work")["image-processing"] == pytest.approx(story.SLOTS / 5)
    assert column("Failing")["report"] == 0.5
