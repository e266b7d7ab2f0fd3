"""A demo that ends before its time: nothing of it is left."""

from __future__ import annotations

import pytest
from demo_process import PATIENCE, folder_for_all, linux_only, start
from process_tree import all_gone, descendants
from wait import eventually

from jobfleet.cli.embedded_postgres import EmbeddedPostgres
from jobfleet.cli.embedded_redis import EmbeddedRedis


@linux_only
@pytest.mark.parametrize(
    ("moment", "end", "status"),
    [("1. Start the servers", "terminate", 143), ("Sent: ", "interrupt", 130)],
    ids=["while it starts", "while it works"],
)
def test_a_demo_that_is_stopped_leaves_nothing(
    moment: str, end: str, status: int, redis_server: EmbeddedRedis, postgres_server: EmbeddedPostgres
) -> None:
    with folder_for_all() as folder, start(folder) as demo:
        # Given a demo on its way
        demo.says(moment, PATIENCE)
        eventually(lambda: descendants(demo.pid))
        processes = descendants(demo.pid)

        # When it is stopped, and once more by somebody who is impatient
        getattr(demo, end)()
        getattr(demo, end)()

        # Then it says so in a sentence and nothing is left
        outcome = demo.wait(PATIENCE)
        assert outcome.status == status
        assert outcome.errors == "The demo was stopped; nothing of it runs any more.\n"
        eventually(lambda: all_gone(processes))
        assert list(folder.iterdir()) == []


@linux_only
def test_a_demo_that_is_killed_leaves_no_process(
    redis_server: EmbeddedRedis, postgres_server: EmbeddedPostgres
) -> None:
    with folder_for_all() as folder, start(folder) as demo:
        demo.says("Sent: ", PATIENCE)
        processes = descendants(demo.pid)

        demo.kill()

        eventually(lambda: all_gone(processes), 60)
