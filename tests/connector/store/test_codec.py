"""JSON and back gives the same value, whatever is in it."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Note, Receipt, Write
from connector.store import codec
from policies.model import (
    Act,
    Agent,
    Change,
    Counts,
    Directory,
    Group,
    Message,
    Metric,
    Need,
    Person,
    Phrase,
    Priority,
    Stage,
    Status,
    Target,
    Ticket,
    TicketRef,
    Who,
)
from policies.plan import (
    Assign,
    ChangeTags,
    Follow,
    RaisePriority,
    SetField,
)
from policies.present.explain import coming_words
from policies.rules.judgement import Coming, JudgedClock, JudgedLevel, JudgedLine, Judgement, Ruling
from policies.state import Cause, Episode, How, Owner, Passed, Standing, UnderWay, Wrote
from tests.connector.store.samples import a_ticket

words = st.text(max_size=5)
numbers = st.integers(-(2**53), 2**53)
scalars = st.one_of(
    words, numbers, st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)
values = st.one_of(scalars, st.lists(words, max_size=3).map(tuple))
customs = st.dictionaries(words, values, max_size=4)

DANA = Person(id="7", name="Dana", address="dana@acme.test", tags=frozenset({"lead"}))
TIER = Group(id="1", name="Tier 1")
ACT = Act(sequence=1, id="a1", at=60, who=Who.OURS, mark="m", episodes=frozenset({"e1", "e2"}))


def exact(value: Any) -> Any:
    """The value with its types, because 1 == 1.0 == True."""
    if isinstance(value, Mapping):
        return {key: exact(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(exact(inner) for inner in value)
    return type(value), value


@given(custom=customs, subject=words)
def test_a_ticket_comes_back_with_its_values_of_every_type(custom: dict[str, Any], subject: str) -> None:
    ticket = a_ticket(custom=custom, subject=subject, tags=frozenset(custom))
    back = codec.load(Ticket, codec.dump(Ticket, ticket))
    assert back == ticket
    assert exact(back.custom) == exact(custom)


@given(before=values, after=values)
def test_a_ticket_comes_back_with_its_history(before: Any, after: Any) -> None:
    ticket = a_ticket(
        priority=Priority.HIGH,
        group=TIER,
        assignee=DANA,
        counts=Counts(replies=2),
        targets=(Target(metric=Metric.FIRST_REPLY, stage=Stage.ACTIVE, due=500, start=100),),
        messages=(Message(act=ACT, public=True, body="Help!"),),
        changes=(Change(act=ACT, field="status", before=before, after=after),),
        loaded=frozenset(Need),
        gone="merged",
    )
    back = codec.load(Ticket, codec.dump(Ticket, ticket))
    assert back == ticket
    assert exact(back.changes[0].before) == exact(before)


def test_facts_are_kept_without_what_people_wrote() -> None:
    ticket = a_ticket(
        description="My card is 4111", messages=(Message(act=ACT, public=True, body="Help 4111"),)
    )
    text = codec.dump_facts(ticket)
    back = codec.load(Ticket, text)
    assert "4111" not in text
    assert back.messages[0].act == ACT
    assert back.subject == ticket.subject


def test_a_standing_comes_back() -> None:
    owner = Owner(name="Tier 2", kind="group")
    passed = Passed(level="L1", how=How.FIRED, at=10, due=9, owner=owner)
    episode = Episode(
        key="e1",
        policy="p",
        number=1,
        started=5,
        clock_start=4,
        passed=(passed,),
        under_way=UnderWay(level="L2", at=20, due=19, overtaken=("L1",), owner=owner),
        owner=owner,
        wrote=(Wrote(field="tags", before=("a",), after=("a", "b"), fact="f"),),
    )
    standing = Standing(policy="p", matched=True, episodes=1, episode=episode, behind=(passed,))
    assert codec.load(Standing, codec.dump(Standing, standing)) == standing


def test_a_write_comes_back_with_every_kind_of_intent() -> None:
    write = Write(
        key="k:1",
        ref=TicketRef("acme", "1"),
        expects="r1",
        intent=(
            Assign(group=TIER, assignee=None),
            RaisePriority(at_least=Priority.URGENT),
            ChangeTags(add=frozenset({"a"}), remove=frozenset({"b"})),
            SetField(field="custom.n", value=True),
            Follow(person=DANA),
            Note(public=False, body="Escalated"),
        ),
        request={"json": {"ids": [1, 2], "safe": True, "none": None}},
    )
    assert codec.load(Write, codec.dump(Write, write)) == write


def test_a_receipt_comes_back_with_tuples() -> None:
    changed = (("tags", ("a",), ("a", "b")), ("priority", None, "high"))
    receipt = Receipt(key="k:1", revision="r2", at=9, facts=("f1",), changed=changed, remarks=("seen",))
    assert codec.load_receipt(codec.dump(Receipt, receipt)) == receipt


def test_a_directory_comes_back() -> None:
    agent = Agent(person=DANA, groups=frozenset({"1"}), available=None, open_load=3)
    directory = Directory(account="acme", groups=(TIER,), agents=(agent,), leads={"Tier 1": "dana@acme.test"})
    assert codec.load(Directory, codec.dump(Directory, directory)) == directory


def test_judgements_come_back_as_they_were_and_take_little_room() -> None:
    inner = JudgedLine(path="tags", operator="has", wanted=("x", 1, 2.5), read=("x",), held=True)
    switch = JudgedLine(path="custom.vip", operator="value", wanted=True, read=None, hidden=True)
    joined = JudgedLine(path="any", operator="any", held=True, inner=(inner, switch))
    one = Judgement(
        policy="p",
        mode="observe",
        holds=True,
        ruling=Ruling(came="fires", level="L1", how=How.SKIPPED),
        now=60,
        zone="Europe/Berlin",
        when=(joined,),
        unless=(JudgedLine(path="status", operator="not_in", wanted=("solved",), read=Status.OPEN),),
        clock=JudgedClock(
            name="created",
            start=50,
            because=Phrase("the status became {}", (Status.OPEN,)),
            elapsed=10,
            days=(("2026-11-26", 10, "holiday"),),
            middle=("2026-11-27", "2026-12-01", 5, 4),
            paused=((1, 2),),
        ),
        levels=(JudgedLevel(name="L1", due=None, why="paused", span=60),),
        ended=((1, 40, "solved"),),
    )
    kind = tuple[Judgement, ...]
    kept = codec.dump(kind, (one,), sparse=True)
    assert codec.load(kind, kept) == (one,)
    assert codec.load_judged(kept) == (one,)
    assert codec.load_judged("null") is None
    assert "calendar" not in kept
    absent = JudgedClock(name="created", absent=Phrase("nobody is assigned"))
    assert codec.load(JudgedClock, codec.dump(JudgedClock, absent, sparse=True)) == absent


def test_what_a_level_fired_for_comes_back_as_values_and_as_the_words_of_earlier_versions() -> None:
    cause = Cause(clock="created", limit=("after", 60), elapsed=90, conditions=(("tags", "has", ("x", 1)),))
    for why in (cause, "open for 1m (limit 1m)", ""):
        passed = Passed(level="L1", how=How.FIRED, at=100, why=why)
        assert codec.load(Passed, codec.dump(Passed, passed)) == passed
        coming = Coming(level="L1", due=90, acts=90, observes=True, why=why)
        assert codec.load(Coming, codec.dump(Coming, coming, sparse=True)) == coming
    before = '{"level":"L1","due":90,"acts":null,"observes":false,"why":"due soon","owner":null,"to":"Ann"}'
    assert coming_words(codec.load(Coming, before)) == "due soon"


def test_equal_sets_of_names_are_equal_text() -> None:
    assert codec.dump_names(frozenset({"b", "a", "c"})) == '["a","b","c"]'


def test_what_another_version_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="subject"):
        codec.load(Ticket, '{"ref": {"account": "acme", "id": "1"}}')
