"""Short commands without the time that importing takes, see ``command_forks``."""

from __future__ import annotations

import atexit
import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from processes import Outcome, bare_environment

SCRIPT = Path(__file__).with_name("command_forks.py")
#: Beginnings of variables that Python itself reads when it starts.
_READ_AT_START = ("PYTHON", "LANG", "LC_")


class QuickCommands:
    """Runs commands ``jobfleet``, several at once; one for each process of tests."""

    def __init__(self) -> None:
        self._environment = bare_environment()
        self._forker = subprocess.Popen(
            [sys.executable, "-P", str(SCRIPT)],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def can_run(self, environment: Mapping[str, str]) -> bool:
        """Whether Python would start in an environment as it has started here."""
        return _start_of(environment) == _start_of(self._environment)

    def run(self, commands: Sequence[tuple[Sequence[str], Mapping[str, str]]]) -> list[Outcome]:
        """Run commands side by side, each with its arguments and all that it sees of the environment.

        Raises:
          AssertionError: one did not end in time; with what it printed.
        """
        assert self._forker.stdin and self._forker.stdout
        with ExitStack() as stack:
            rows, files = [], []
            for arguments, environment in commands:
                printed = [stack.enter_context(NamedTemporaryFile()) for _ in range(2)]
                output, errors = (file.name for file in printed)
                files.append(printed)
                rows.append(
                    {"arguments": list(arguments), "environment": dict(environment), "output": output, "errors": errors}
                )
            self._forker.stdin.write(json.dumps(rows) + "\n")
            self._forker.stdin.flush()
            statuses = json.loads(self._forker.stdout.readline())
            outcomes = [
                Outcome(status=status, output=_content(output.name), errors=_content(errors.name))
                for status, (output, errors) in zip(statuses, files, strict=True)
            ]
        for (arguments, _), outcome in zip(commands, outcomes, strict=True):
            assert outcome.status != -signal.SIGALRM, f"jobfleet {arguments} ran on: {outcome}"
        return outcomes

    def close(self) -> None:
        """Let the process that forks end."""
        assert self._forker.stdin and self._forker.stdout
        self._forker.stdin.close()
        self._forker.wait(30)
        self._forker.stdout.close()


@cache
def quick_commands() -> QuickCommands:
    """Those of this process; they end with it."""
    commands = QuickCommands()
    atexit.register(commands.close)
    return commands


def _start_of(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}


def _content(path: str) -> str:
    return Path(path).read_bytes().decode(errors="replace")
