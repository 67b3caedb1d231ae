"""How tickets move between groups, who moves them, what lies after a move, and where their time goes. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from connector.report.cases import Case, Frame, Stay, Stretch
from connector.report.figures import (
    UNLOADED,
    Figure,
    count,
    created,
    fired,
    lasting,
    percentile,
    share,
)
from policies.model import spell

BOUNCES = 2
"""So many moves between groups make a bounced ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The unsolved time of tickets in one group, in seconds. `idle_p50` is from a ticket's arrival to the first act of
    any agent; `untouched` stays had none."""

    group: str
    stays: int
    total: int
    p50: float
    p90: float
    idle_p50: float | None
    untouched: int


def moving(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """Bounces and ping-pong by people, moves by bots beside them, and how long a hand-off lay."""
    made = created(cases, frame)
    moves = [case.moves for case in made if case.told]
    lost = {UNLOADED: len(made) - len(moves)}
    yield share("bounce_rate", sum(each.people >= BOUNCES for each in moves), len(moves), lost)
    yield share("ping_pong", sum(each.back_by_people for each in moves), len(moves), lost)
    yield share("ping_pong_any", sum(each.back for each in moves), len(moves), lost)
    yield count("moves_people", sum(each.people for each in moves), lost)
    yield count("moves_ours", sum(each.ours for each in moves), lost)
    yield count("moves_automation", sum(each.automation for each in moves), lost)
    yield from hand_offs(cases, frame)
    yield from by_people(made, frame)


def hand_offs(cases: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """From our change of group to the first act of a member of that group."""
    spans: list[tuple[Stretch, ...]] = []
    excluded = {
        UNLOADED: 0,
        "moved to no other group": 0,
        "members of the group not known": 0,
        "went on before anybody acted": 0,
        "nobody has acted yet": 0,
    }
    for case, _, step in fired(cases, frame):
        moved = step.hand_off
        if moved is None:
            excluded["moved to no other group" if case.told else UNLOADED] += 1
        elif moved.taken_up is not None:
            spans.append(((moved.at, moved.taken_up),))
        elif moved.unknown:
            excluded["members of the group not known"] += 1
        else:
            excluded["went on before anybody acted" if moved.gone_on else "nobody has acted yet"] += 1
    total = sum(end - start for span in spans for start, end in span)
    wall, *business = lasting("handoff_dead_time", spans, frame, excluded)
    yield replace(wall, notes=(f"those measured together: {spell(total)}",)) if spans else wall
    yield from business


def by_people(made: Sequence[Case], frame: Frame) -> Iterator[Figure]:
    """From a person's change of group to the first act of a member of that group, and how much of that a customer
    waited: what such moves cost."""
    spans: list[tuple[Stretch, ...]] = []
    waiting: list[tuple[Stretch, ...]] = []
    excluded = {
        f"tickets: {UNLOADED}": sum(not case.told for case in made),
        "members of the group not known": 0,
        "went on before anybody acted": 0,
        "nobody has acted yet": 0,
    }
    for moved in (each for case in made for each in case.handed):
        if moved.taken_up is not None:
            spans.append(((moved.at, moved.taken_up),))
            waiting.append(moved.waiting)
        elif moved.unknown:
            excluded["members of the group not known"] += 1
        else:
            excluded["went on before anybody acted" if moved.gone_on else "nobody has acted yet"] += 1
    for key, found in (("moved_dead_time", spans), ("moved_waiting", waiting)):
        wall, *business = lasting(key, found, frame, excluded)
        total = sum(end - start for span in found for start, end in span)
        yield replace(wall, notes=(f"those measured together: {spell(total)}",)) if found else wall
        yield from business


def stages(cases: Sequence[Case], frame: Frame) -> tuple[Stage, ...]:
    """Where tickets created in the period spent their time, the longest first."""
    found = defaultdict[str, list[Stay]](list)
    for case in created(cases, frame):
        for stay in case.stays:
            found[stay.group].append(stay)
    made = (stage(group, some) for group, some in found.items())
    return tuple(sorted(made, key=lambda each: (-each.total, each.group)))


def stage(group: str, some: Sequence[Stay]) -> Stage:
    """One group."""
    seconds = [float(each.seconds) for each in some]
    idle = [float(each.first_act - each.start) for each in some if each.first_act is not None]
    return Stage(
        group=group,
        stays=len(some),
        total=sum(each.seconds for each in some),
        p50=percentile(seconds, 50),
        p90=percentile(seconds, 90),
        idle_p50=percentile(idle, 50) if idle else None,
        untouched=len(some) - len(idle),
    )
