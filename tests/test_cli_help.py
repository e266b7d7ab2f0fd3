"""What every command says of itself, and how it answers a wrong call."""

from __future__ import annotations

from command import run, run_all
from processes import bare_environment, run_command

from jobfleet import __version__

#: Every command, with the words that its help must have.
COMMANDS = {
    "up": ["--processes", "default: 1", "Ctrl-C", "--watch", "apt-get install prometheus prometheus-alertmanager"],
    "demo": ["Examples:", "jobfleet demo"],
    "worker": ["--queue", "--threads", "default: 10", "jobfleet worker -Q email"],
    "monitor": ["job log", "jobfleet monitor"],
    "migrate": ["--dry-run", "DATABASE_URL"],
    "queues": ["--watch", "--json", "total = waiting + active + delayed"],
    "queues purge": ["--dry-run", "--yes", "jobfleet queues purge analytics --dry-run"],
    "jobs list": ["--queue", "--tenant", "--status", "--actor", "default: 20"],
    "jobs show": ["--json", "jobfleet jobs show"],
    "jobs follow": ["--until-done", "--json"],
    "jobs why": ["--json", "jobfleet jobs why"],
    "jobs run-now": ["Exit code 1", "stays held"],
    "dead list": ["--error", "default: 50"],
    "dead show": ["--json", "jobfleet dead show"],
    "dead replay": ["--all", "--dry-run", "default: 10000"],
    "dead discard": ["--yes", "--dry-run"],
    "tenants list": ["--plan", "--paused", "default: 100", "--json"],
    "tenants show": ["--json", "jobfleet tenants show 42"],
    "tenants set-plan": ["starter", "jobs that wait"],
    "tenants override": ["--max-jobs-per-minute", "--reset"],
    "tenants pause": ["jobfleet tenants pause 42"],
    "tenants resume": ["jobfleet tenants resume 42"],
    "tenants top": ["--watch", "default: 20", "--json", "--by", "default: oldest"],
    "tenants purge": ["--dry-run", "--yes", "Exit code 1"],
    "why": ["--json", "jobfleet why"],
    "cancel": ["--state", "--dry-run", "--yes", "Exit code 1"],
    "pause": ["--actor", "list what is paused"],
    "resume": ["--actor", "jobfleet resume webhook"],
    "audit": ["--json", "--repair", "Exit code 1"],
    "check": ["--json", "Exit code 1"],
}


def test_the_help_of_every_command_teaches() -> None:
    # When each command is asked for its help, without any server
    helps = run_all([[*name.split(), "--help"] for name in COMMANDS], bare_environment())

    # Then it says what it is for, shows an example and its options with their defaults
    for (name, words), help_text in zip(COMMANDS.items(), helps, strict=True):
        assert help_text.status == 0, help_text
        assert f"jobfleet {name}" in help_text.output
        assert "Example" in help_text.output, name
        assert "\x1b" not in help_text.output
        unwrapped = " ".join(help_text.output.split())
        for word in words:
            assert word in unwrapped, (name, word, help_text.output)


def test_the_command_lists_its_commands_and_its_version() -> None:
    *lists, version = run_all(
        [["--help"], ["queues", "-h"], ["jobs", "-h"], ["dead", "-h"], ["tenants", "-h"], ["--version"]],
        bare_environment(),
    )

    in_lists = "".join(listed.output for listed in lists)
    for name in COMMANDS:
        assert f"  {name.split()[-1]} " in in_lists, name
    assert version.output == f"jobfleet {__version__}\n"
    # And the same command is there as a module, for processes that start it with their own Python
    assert run_command(["python", "-m", "jobfleet.cli", "--version"], bare_environment()).output == version.output


def test_a_wrong_call_is_explained_with_exit_code_2() -> None:
    calls = {
        "nonsense": "No such command 'nonsense'",
        "queues --nonsense": "--nonsense",
        "jobs show": "Missing argument",
        "jobs list --status gone": "'failed'",
        "jobs list --limit 0": "--limit",
        "worker --threads none": "--threads",
    }
    for said, outcome in zip(
        calls.values(), run_all([call.split() for call in calls], bare_environment()), strict=True
    ):
        assert outcome.status == 2, outcome
        assert said in outcome.errors
        assert "Traceback" not in outcome.errors


def test_without_a_command_it_teaches() -> None:
    outcome = run(bare_environment())
    assert "Commands:" in outcome.output + outcome.errors
