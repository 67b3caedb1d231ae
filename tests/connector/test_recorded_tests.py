"""`uptier test --record`: a test from a real ticket of each helpdesk, without its words, that passes as recorded."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from connector.config.holidays import calendars
from connector.work.context import Unforeseeable, lived
from policies.language.document import Document, read
from policies.model import Directory, Ticket, Who
from policies.policy_tests import play, read_tests
from policies.recording import record
from policies.replay import Acted, Said
from tests.connector.each import EACH, each
from tests.policies.lives import CLEO, DIRECTORY, LADDER, Life, at, policy

SECRET = "Rumpelstiltskin"


def recorded(life: Life, minutes: float = 600, directory: Directory = DIRECTORY) -> str:
    """The test that is made of this life, as it stands."""
    ticket = life.stage.ticket
    return record(recognised(life, ticket), life.policies, directory, life.calendars, at(minutes))


def recognised(life: Life, ticket: Ticket) -> Ticket:
    scene = life.plan(10_000).scene
    assert scene is not None
    return replace(scene.ticket, assignee_away=None)


def passes(text: str, life: Life, account: str = "acme") -> bool:
    document = read("x.test.toml", text)
    assert isinstance(document, Document), document
    tests, problems = read_tests(document, life.policies, (account,))
    assert problems == ()
    return all(play(test, life.policies, life.calendars).passed for test in tests)


def life_of(text: str) -> list[str]:
    return text.split('"""')[1].strip().splitlines()


def test_a_life_is_written_down_without_words_and_names() -> None:
    life = Life(LADDER).with_fields(
        subject=SECRET, description=SECRET, requester=replace(CLEO, name=SECRET, organization=SECRET)
    )
    life.happens(Acted(at=at(0), who=Who.CUSTOMER, person="cleo", says=(Said(body=SECRET),)))
    life.change(5, "assignee", "ann", by="ann").agent(6, "ann", public=False)
    life.look(30)
    life.agent(40, "ben").change(40, "status", "pending", by="ben").look(40)
    text = recorded(life)
    assert life_of(text) == [
        "0:00  customer writes",
        "0:05  assigned to agent-1 by agent-1",
        "0:06  agent agent-1 notes",
        "0:30  fires one to Tier 2",
        "0:40  agent agent-2 replies",
        "0:40  status pending by agent-2",
        "10:01  nothing more fires",
    ]
    assert [word for word in (SECRET, "ann", "ben", "Ann", "cleo", "Cleo", "4711") if word in text] == []
    assert 'group = "Tier 1"' in text
    assert passes(text, life)


def test_what_uptier_wrote_comes_of_the_life_again() -> None:
    life = Life(LADDER).customer(0)
    life.look(30)
    life.look(120)
    text = recorded(life)
    assert life_of(text) == [
        "0:00  customer writes",
        "0:30  fires one to Tier 2",
        "2:00  fires two to Duty",
        "10:01  nothing more fires",
    ]
    assert 'priority = "high"' in text, "as it was before the second level"


def test_of_the_values_only_what_the_policies_ask_for_is_recorded() -> None:
    asks = policy(when='tags = { has = "gold" }\nrequester.vip = true\nsubject = { contains = "down" }')
    life = Life(asks).with_fields(
        tags=frozenset({"gold", "secret-project"}), requester=replace(CLEO, vip=True), type="incident"
    )
    life.customer(0).change(10, "tags", ("gold", "other-project"), by="ann").change(20, "tags", (), by="ann")
    text = recorded(life)
    assert 'tags = ["gold"]' in text
    assert "requester.vip = true" in text
    assert "untagged gold by agent-1" in text
    assert [word for word in ("project", "incident") if word in text] == []
    assert "Not recorded, though the policies ask for it: subject." in text
    assert passes(text, life)


def test_a_ticket_without_priority_and_one_that_is_over() -> None:
    life = Life(policy()).with_fields(priority=None).customer(0)
    life.look(30)
    life.change(50, "status", "solved", by="ann").look(50)
    text = recorded(life, minutes=9000)
    assert life_of(text)[0] == "0:00  priority none"
    assert life_of(text)[-1] == "0:51  nothing more fires"
    assert passes(text, life)


def test_leads_are_called_leads_and_members_stand_in_their_groups() -> None:
    picks = policy('after = "30m"\nassign = { group = "Tier 2", agent = "least_loaded" }')
    life = Life(picks).customer(0).change(5, "assignee", "ann", by="ann")
    text = recorded(life, directory=replace(DIRECTORY, leads={"Tier 1": "ann@acme.test"}))
    assert "0:05  assigned to lead-1 by lead-1" in text
    assert '"Tier 1" = ["lead-1"]' in text
    assert '"Tier 2" = ["agent-1"]' in text, "one stands for the members, who are not in this life"
    assert passes(text, life)


@pytest.mark.parametrize("vendor", EACH)
def test_a_ticket_of_each_helpdesk_is_recorded_and_passes(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        parts, ref = one.service.parts, None
        one.opened("one")
        ref = one.ref()
        with pytest.raises(Unforeseeable, match="run uptier once"):
            lived(parts.store, parts.desks[ref.account], parts.rules().policies, ref, one.clock.now())
        one.rounds(until=32, every=1)
        policies = parts.rules().policies
        life, directory, wrote = lived(parts.store, parts.desks[ref.account], policies, ref, one.clock.now())
        days = calendars(policies, life.created)
        text = record(life, policies, directory, days, one.clock.now(), wrote)
        fires, ends = life_of(text)[-2:]
        assert fires == "0:30  fires Second line to Tier 2", text
        assert re.fullmatch(r"0:3[34]  nothing more fires", ends), (
            "whole minutes, however long the looks took"
        )
        assert 'group = "Tier 1"' in text, "before Uptier gave it to Tier 2"
        assert "escalated" not in text
        assert [word for word in ("About one", "Cleo", "cleo", "@") if word in text] == [], text
        document = read("x.test.toml", text)
        assert isinstance(document, Document)
        tests, problems = read_tests(document, policies, (ref.account,))
        assert problems == ()
        assert play(tests[0], policies, days).passed
