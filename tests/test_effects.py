"""An effect happens once, and a doubt is met with the policy that was chosen for it."""

from __future__ import annotations

import pytest

from jobfleet.broker.errors import PermanentFailure, Unavailable
from jobfleet.middleware.effects import Effect, EffectInDoubt, InDoubt, once, patiently


class Page:
    """A ledger of one effect, in memory; ``away`` makes the next so many writes fail."""

    def __init__(self, known: Effect = Effect.NEW) -> None:
        self.known = known
        self.away = 0
        self.writes: list[str] = []

    def intend(self) -> Effect:
        self._write("intend")
        return self.known

    def record(self) -> None:
        self._write("record")

    def withdraw(self) -> None:
        self._write("withdraw")

    def _write(self, what: str) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("the database is away")
        self.writes.append(what)


def test_an_effect_is_announced_had_and_recorded() -> None:
    page = Page()

    assert once(page, lambda: page.writes.append("effect"), in_doubt=InDoubt.REPEAT) == (True, True)
    assert page.writes == ["intend", "effect", "record"]


def test_an_effect_that_is_recorded_is_not_had_again() -> None:
    page = Page(Effect.DONE)

    assert once(page, lambda: page.writes.append("effect"), in_doubt=InDoubt.REPEAT) == (False, True)
    assert page.writes == ["intend"]


def test_a_doubt_can_mean_again() -> None:
    page = Page(Effect.IN_DOUBT)

    assert once(page, lambda: page.writes.append("effect"), in_doubt=InDoubt.REPEAT) == (True, True)


def test_a_doubt_can_mean_done() -> None:
    page = Page(Effect.IN_DOUBT)

    assert once(page, lambda: page.writes.append("effect"), in_doubt=InDoubt.SKIP) == (False, True)
    assert page.writes == ["intend"]


def test_a_doubt_can_be_left_to_a_person() -> None:
    page = Page(Effect.IN_DOUBT)

    with pytest.raises(PermanentFailure, match="nobody knows whether it had its effect"):
        once(page, lambda: page.writes.append("effect"), in_doubt=InDoubt.FAIL)
    assert page.writes == ["intend"]


def test_an_effect_that_did_not_happen_takes_its_announcement_back() -> None:
    page = Page()

    def fail() -> None:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        once(page, fail, in_doubt=InDoubt.REPEAT)
    assert page.writes == ["intend", "withdraw"]


def test_an_effect_that_may_have_happened_keeps_its_announcement() -> None:
    page = Page()

    def fail() -> None:
        raise EffectInDoubt

    with pytest.raises(EffectInDoubt):
        once(page, fail, in_doubt=InDoubt.REPEAT)
    assert page.writes == ["intend"]


def test_a_run_that_is_interrupted_keeps_its_announcement() -> None:
    page = Page()

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once(page, interrupted, in_doubt=InDoubt.REPEAT)
    assert page.writes == ["intend"]


def test_without_a_database_nothing_happens() -> None:
    page = Page()
    page.away = 1

    with pytest.raises(Unavailable):
        once(page, lambda: page.writes.append("effect"), in_doubt=InDoubt.REPEAT)
    assert page.writes == []


def test_a_record_waits_for_the_database() -> None:
    page = Page()
    page.away = 2

    assert patiently(page.record)
    assert page.writes == ["record"]


def test_a_record_does_not_wait_for_ever() -> None:
    page = Page()
    page.away = 1_000_000

    assert not patiently(page.record, seconds=0.0)
