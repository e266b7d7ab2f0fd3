"""Importing the house only defines names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from house import HOUSE, MODULES
from processes import bare_environment, run_command

#: Imports modules while it notes what else happens, and prints it as JSON.
WATCHED_IMPORT = """
import importlib, json, os, sys, threading

reads, events, before = [], [], set(sys.modules)
look_up = type(os.environ).__getitem__

def noted(self, name):
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith("<frozen"):
        frame = frame.f_back
    reads.append([frame.f_code.co_filename, name])
    return look_up(self, name)

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        events.append(("write" if flags & (os.O_WRONLY | os.O_RDWR) else "read") + f" {path}")
    elif event in ("os.mkdir", "os.rename", "os.remove", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        events.append(f"{event} {arguments}")

type(os.environ).__getitem__ = noted
sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
new = sorted(set(sys.modules) - before)
print(json.dumps({"reads": reads, "events": events, "modules": new, "threads": threading.active_count()}))
"""

#: Whoever reads the settings with these is told that they are wrong.
NONSENSE = {"JOBFLEET_LEASE_MS": "soon", "JOBFLEET_NAMESPACE": "{no namespace}", "JOBFLEET_JOURNAL_MAX": "many"}


def watched_import(*names: str, home: Path) -> dict[str, Any]:
    environment = bare_environment() | NONSENSE | {"PYTHONDONTWRITEBYTECODE": "1", "JOBFLEET_HOME": str(home)}
    outcome = run_command(["python", "-c", WATCHED_IMPORT, *names], environment)
    assert outcome.status == 0, outcome.errors
    seen: dict[str, Any] = json.loads(outcome.output.splitlines()[-1])
    return seen


def test_importing_the_package_loads_nothing_but_itself(tmp_path: Path) -> None:
    seen = watched_import("jobfleet", home=tmp_path)

    assert [name for name in seen["modules"] if name.startswith("jobfleet")] == ["jobfleet"]
    assert {"dramatiq", "redis", "pydantic"}.isdisjoint(seen["modules"])
    assert seen["reads"] == []
    assert [event for event in seen["events"] if not event.endswith((".py", ".pyc"))] == []


@pytest.mark.parametrize("name", ["jobfleet.broker", "jobfleet.actors", "all"])
def test_importing_a_room_does_nothing_to_the_world_and_reads_no_setting(name: str, tmp_path: Path) -> None:
    names = [module for module in MODULES if not module.endswith("__main__")] if name == "all" else [name]

    seen = watched_import(*names, home=tmp_path / "home")

    assert [event for event in seen["events"] if not event.startswith("read ")] == []
    assert [event for event in seen["events"] if "jobfleet.toml" in event or "fleet.json" in event] == []
    ours = {HOUSE / "__init__.py", *(module.path for module in MODULES.values())}
    assert [name for file, name in seen["reads"] if Path(file).resolve() in ours] == []
    assert seen["threads"] == 1
    assert not (tmp_path / "home").exists()


def test_the_actors_wait_for_nothing_when_no_server_is_set(tmp_path: Path) -> None:
    # Given no server at all, an application can still import the actors and look at them
    code = "from jobfleet.actors import send_email; print(send_email.queue_name)"

    outcome = run_command(["python", "-c", code], bare_environment() | {"JOBFLEET_HOME": str(tmp_path)})

    assert (outcome.status, outcome.output, outcome.errors) == (0, "email\n", "")
