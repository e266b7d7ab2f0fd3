"""What happens while the pictures' fleet runs, in the order of its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from jobfleet.middleware.tenants import pause_tenant, resume_tenant
from jobfleet.pictures.fleet import Fleet
from jobfleet.pictures.traffic import Traffic

#: Seconds between two looks at the clock.
TICK_SECONDS = 0.1
#: Jobs of the tenant that floods.
FLOOD = 500
#: Images that a tenant sends at once in the end, so that there is something running and waiting to be seen.
IMAGES = 150
#: Seconds between two lines on the screen.
LINE_SECONDS = 30.0

#: When it happens, as a share of the run, what is said of it, and what is done.
Happening = tuple[float, str, Callable[[], object]]


def play(fleet: Fleet, seconds: float) -> None:
    """Let the application send and everything happen, for so long."""
    traffic = Traffic(fleet.receiver.url)
    traffic.settle()
    coming = list(_happenings(fleet, traffic))
    begin = last = said = time.monotonic()
    while (now := time.monotonic()) - begin < seconds:
        traffic.tick(now - begin, now - last)
        last = now
        while coming and (now - begin) / seconds >= coming[0][0]:
            _, line, act = coming.pop(0)
            print(f"{now - begin:4.0f} s  {line}", flush=True)
            act()
        if now - said > LINE_SECONDS:
            print(f"{now - begin:4.0f} s  {traffic.sent.total()} sent, {traffic.refused} refused", flush=True)
            said = now
        time.sleep(TICK_SECONDS)
    fleet.check()


def _happenings(fleet: Fleet, traffic: Traffic) -> Sequence[Happening]:
    broker = fleet.broker
    return (
        (0.12, "a tenant floods the queue notification", lambda: _flood(traffic)),
        (0.22, "the queue report is paused", lambda: broker.pause("report")),
        (0.28, "a tenant is paused", lambda: pause_tenant("initech")),
        (0.34, "the queue report goes on", lambda: broker.resume("report")),
        (0.40, "the queue email is paused", lambda: broker.pause("email")),
        (0.48, "the tenant goes on", lambda: resume_tenant("initech")),
        (0.52, "the queue email goes on", lambda: broker.resume("email")),
        (0.58, "a worker dies", lambda: fleet.kill("worker-batch")),
        (0.61, "it is there again", lambda: fleet.revive("worker-batch")),
        (0.68, "the broken endpoint is mended, its dead letters are replayed", lambda: _replay(fleet)),
        (0.84, "dead letters of the queue ai are discarded", lambda: _discard(fleet)),
        (0.90, "the queue export is paused", lambda: broker.pause("export")),
        (0.98, "another tenant floods the queue image-processing", lambda: _images(traffic)),
    )


def _flood(traffic: Traffic) -> None:
    for _ in range(FLOOD):
        traffic.send("notification", "globex")


def _images(traffic: Traffic) -> None:
    for _ in range(IMAGES):
        traffic.send("image", "hooli")


def _replay(fleet: Fleet) -> None:
    fleet.receiver.mend("/broken")
    letters = fleet.broker.dead_letters.list(queue="webhook", limit=1_000)
    fleet.broker.dead_letters.replay([letter.job_id for letter in letters])


def _discard(fleet: Fleet) -> None:
    letters = fleet.broker.dead_letters.list(queue="ai", limit=5)
    fleet.broker.dead_letters.discard([letter.job_id for letter in letters])
