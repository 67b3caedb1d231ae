"""What the ledger keeps of a level's lateness: only what Uptier answers for."""

from dataclasses import replace

import pytest

from connector.work.commit import line_of
from policies.model import TicketRef
from policies.plan import Occurrence
from policies.state import Episode, How, Passed, Standing

EPISODE = Episode(
    key="acme/1:p:1",
    policy="p",
    number=1,
    started=100,
    clock_start=50,
    clock="created",
    passed=(Passed(level="one", how=How.FIRED, at=260, due=200),),
)
FIRED = Occurrence(what="fired", policy="p", episode=EPISODE.key, level="one", at=260)


def kept(episode: Episode, occurrence: Occurrence = FIRED) -> dict[str, int]:
    return dict(line_of(TicketRef("acme", "1"), occurrence, [Standing(policy="p", episode=episode)]).data)


def test_a_level_that_was_due_before_it_was_decided_is_late() -> None:
    assert kept(EPISODE) == {"due": 200, "late": 60}


@pytest.mark.parametrize(
    "other",
    [
        replace(EPISODE, started=201),  # it began to match after the level's time
        replace(EPISODE, approved=("one",)),
        replace(EPISODE, snoozed_until=260),
        replace(EPISODE, passed=(replace(EPISODE.passed[0], due=None),)),
    ],
)
def test_what_people_or_the_ticket_decided_is_nobodys_lateness(other: Episode) -> None:
    assert kept(other) == {}


def test_an_order_before_the_time_is_not_late() -> None:
    assert kept(replace(EPISODE, passed=(replace(EPISODE.passed[0], due=900),))) == {"due": 900, "late": 0}


def test_other_lines_have_none() -> None:
    assert kept(EPISODE, replace(FIRED, what="ended")) == {}
