"""The benchmarks with many tenants measure what they say: their arithmetic, and one small run of each kind. No times are judged."""

from __future__ import annotations

import pytest

from jobfleet.benchmarks import sections
from jobfleet.benchmarks.ideal import Ideal
from jobfleet.benchmarks.measurements.features import ALL, NOTHING
from jobfleet.benchmarks.measurements.neighbour import ideal_waits, neighbour
from jobfleet.benchmarks.measurements.parked import parked
from jobfleet.benchmarks.measurements.plans import WIDE, publish
from jobfleet.benchmarks.measurements.shares import Claim, farthest, jain, shares
from jobfleet.benchmarks.part import Goal
from jobfleet.benchmarks.scenes import DRAMATIQ, FAIR, SCENES, Scene, Size
from jobfleet.benchmarks.stage import open_house, stage
from jobfleet.benchmarks.traffic import Run, bursts, one_second

TINY = Size(flood=60, dramatiq_flood=60, tenants=10, load=0.1, before=1, seconds=1, lead=1, settled=1)


def test_without_noise_who_finds_a_free_thread_does_not_wait() -> None:
    assert Ideal(2).waits([0.0, 0.0, 0.0, 5.0], 1.0) == [0.0, 0.0, 1.0, 0.0]


def test_a_flood_has_every_thread_that_is_free_and_keeps_it_until_its_job_ends() -> None:
    flood = [(0.0, 10.0)] * 100
    assert Ideal(2, flood).waits([1.0, 2.0], 1.0) == [9.0, 8.0]


def test_a_plan_keeps_the_other_threads_free() -> None:
    flood = [(0.0, 10.0)] * 100
    assert Ideal(2, flood, at_once=1).waits([1.0, 1.5, 3.0], 1.0) == [0.0, 0.5, 0.0]


def test_noise_that_has_not_been_sent_yet_keeps_nothing() -> None:
    assert Ideal(1, [(2.0, 10.0)]).waits([1.0, 3.0], 0.5) == [0.0, 9.0]


def test_jains_index_is_one_for_equals_and_least_when_one_has_everything() -> None:
    assert jain([3.0, 3.0, 3.0, 3.0]) == 1.0
    assert jain([8.0, 0.0, 0.0, 0.0]) == 0.25


def test_how_far_a_share_is_off_is_judged_by_its_weight() -> None:
    claims = {"one": Claim(10), "four": Claim(10, weight=4)}
    assert farthest({"one": 1.0, "four": 4.0}, claims) == pytest.approx(0)
    assert farthest({"one": 0.5, "four": 4.5}, claims) == pytest.approx(0.5)


def test_the_same_seed_sends_the_same_and_every_tenant_once_a_second() -> None:
    sends = one_second(50, 160, "second-0")
    assert sends == one_second(50, 160, "second-0") != one_second(50, 160, "second-1")
    assert len({tenant for _, tenant, _ in sends}) == 50 and all(0 <= at < 1 for at, _, _ in sends)
    assert bursts(3, 10, 160, "bursts") == bursts(3, 10, 160, "bursts")


def test_a_section_is_replaced_and_nothing_else() -> None:
    readme = "a\n<!-- shares -->\nold\n<!-- end of shares -->\nb\n<!-- growth -->\n<!-- end of growth -->\n"
    assert sections.between(readme, "shares", "new") == readme.replace("\nold\n", "\n\nnew\n\n")
    with pytest.raises(ValueError, match="no section"):
        sections.between(readme, "features", "new")


def test_a_goal_says_whether_it_was_kept() -> None:
    assert Goal(title="p99", figure=1.13, bound=1.2).row() == ["p99", "at most 1.2 times", "1.13 times", "yes"]
    assert Goal(title="drain", figure=2.4, bound=2.5, at_least=True).row()[-1] == "**no**"


@pytest.mark.parametrize(
    "scene",
    [
        Scene(noise="a flood on a plan of 1 at once", flood_times=2, at_once=1),
        Scene(noise="bursts", bursting=1),
        Scene(noise="a flood", contender=DRAMATIQ, threads=2, flood_times=1),
    ],
    ids=lambda scene: f"{scene.contender.name}: {scene.noise}",
)
def test_every_job_of_the_quiet_tenants_is_accounted_for(scene: Scene) -> None:
    with open_house() as house, stage(scene.contender, house) as set_up:
        found = neighbour(set_up, scene, TINY)

    assert len(found["waits"]) == len(found["ideal"]) == TINY.tenants * TINY.seconds
    assert found["not_started"] == 0
    assert all(wait > 0 for wait in found["waits"])


def test_every_noise_has_a_quiet_scene_to_be_compared_with() -> None:
    assert {scene.fleet for scene in SCENES} == {scene.fleet for scene in SCENES if not scene.noisy}
    assert len(ideal_waits(SCENES[0], TINY)) == TINY.tenants * TINY.seconds


def test_a_full_fleet_serves_every_tenant() -> None:
    with open_house() as house, stage(FAIR, house) as set_up:
        service = shares(set_up, {"light": Claim(10), "heavy": Claim(20, weight=2)}, 0.5)

    assert set(service) == {"light", "heavy"} and all(service.values())


def test_all_tenants_that_are_to_be_parked_are() -> None:
    with open_house() as house, stage(NOTHING, house) as set_up, parked(set_up, 30) as found:
        assert found == 30


def test_what_is_sent_with_all_features_on_is_taken() -> None:
    with open_house() as house, stage(ALL, house) as set_up:
        publish(set_up, WIDE)
        set_up.sender.tell("bulk", 300)
        set_up.start(1)
        set_up.warm(1)

        assert set_up.marks.total() >= 300


def test_a_token_tells_what_it_was() -> None:
    assert Run.of("tenant-1:160:1000", 3000) == Run("tenant-1", 160, 1000, 3000)
