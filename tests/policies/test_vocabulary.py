"""Each word of the policy language stands in one row: added while running, and nothing else, it is known everywhere."""

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.config.values import vendors
from connector.fields_page import as_markdown, whole, words
from connector.matrix.cards import cards_markdown, desk_cards
from connector.matrix.tables import as_csv, as_text
from connector.matrix.tables import as_markdown as matrix_page
from policies.language.clocks import CLOCKS, Clock, Reading
from policies.language.document import Document, Problem, read
from policies.language.fields import FIELDS, Field
from policies.language.operators import OPERATORS, TEXTS, Operator
from policies.language.parse import parse
from policies.language.vocabulary import (
    OWNER_FUNCTIONS,
    STOPS,
    STRATEGIES,
    OwnerFunction,
    Stop,
    Strategy,
)
from policies.model import Change, Phrase
from policies.present.matrix import matrix
from policies.rules.assignment import ticket_owner
from policies.rules.observe import reads_of
from policies.state import Owner
from tests.policies.lives import AFTER_30, BEN, DIRECTORY, HEAD, Life, policy, rules
from tests.policies.test_explain import said

OWNED = AFTER_30 + '\nowner = "assignee"'
LEADS = replace(DIRECTORY, leads={"Tier 1": "ann@acme.test"}, managers={"ann@acme.test": "dan@acme.test"})


def check(text: str) -> list[Problem]:
    """What `uptier check` says of the text."""
    document = read("uptier.toml", HEAD + text)
    assert isinstance(document, Document)
    return list(parse([document]).problems)


def schema_errors(text: str) -> list[str]:
    """What an editor says of the text."""
    return [error.message for error in Draft202012Validator(whole()).iter_errors(tomllib.loads(text))]


def matrices(text: str) -> Iterable[str]:
    """What `uptier matrix` prints, in its forms."""
    made = matrix(rules(text), ("acme",), {"acme": LEADS}, ("en",))
    return as_text(made), matrix_page(made), as_csv(made)


def cards(text: str) -> str:
    """What `uptier cards` prints."""
    policies = rules(text)
    return cards_markdown(tuple(desk_cards(matrix(policies, ("acme",), {"acme": LEADS}), policies)))


def is_everywhere(text: str, slip: str, shown: str, listed: str) -> None:
    """The text is right for check and editor, and the slip is not; `shown` stands in every form of the matrix and on
    the cards, `listed` on the pages of docs/ that are printed."""
    assert check(text) == []
    assert any(problem.severity == "error" for problem in check(slip))
    assert schema_errors(text) == []
    assert schema_errors(slip) != []
    for printed in matrices(text):
        assert shown in " ".join(printed.split()), printed
    assert shown in cards(text)
    assert listed in "\n".join((*words(), *as_markdown(vendors())))


def test_a_field(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Field(
        name="subject_length",
        kind="number",
        meaning="How many characters the subject has.",
        read=lambda ticket: len(ticket.subject),
        noun="the length of the subject",
        beside=frozenset({"subject"}),
    )
    monkeypatch.setitem(FIELDS, row.name, row)
    text = policy(OWNED, when="subject_length = { over = 3 }")
    is_everywhere(
        text, text.replace("_length", "_lenght"), "the length of the subject is more than 3", row.meaning
    )
    life = Life(text)
    assert life.look(30).wanted
    assert "yes subject_length is over 3 (it is 17)" in said(life, 31)
    assert not Life(text).with_fields(subject="x").look(30).wanted
    assert "subject" in reads_of(rules(text), "acme")
    hidden = Life(text).with_fields(hidden=frozenset({"subject"}))
    assert "(hidden from this user)" in said(hidden, 31)


@pytest.mark.parametrize("kind", ["text", "choice", "number", "yes_no", "list"])
def test_a_field_that_says_nothing_of_itself_but_its_meaning(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Field(name="box.inner_thing", kind=kind, meaning="A thing.", read=lambda _: None, nullable=True)
    monkeypatch.setitem(FIELDS, row.name, row)
    asked = {
        "number": "{ over = 3 }",
        "yes_no": "true",
        "list": '{ lacks = "x" }',
    }.get(kind, '"x"')
    for when in (f"box.inner_thing = {asked}", f"box = {{ inner_thing = {asked} }}"):
        text = policy(OWNED, when=when)
        is_everywhere(text, text.replace("inner", "other"), "the box inner thing", "A thing.")
        assert "box.inner_thing" in said(Life(text), 31)


def test_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Operator(
        name="starts_with",
        kinds=TEXTS,
        operand="one",
        meaning="The text begins with this.",
        says=lambda wanted: f"starts with {wanted}",
        words=lambda _, wanted: f"begins with {wanted}",
        build=lambda wanted, _: lambda value: isinstance(value, str) and value.startswith(str(wanted)),
    )
    monkeypatch.setitem(OPERATORS, row.name, row)
    text = policy(OWNED, when='subject = { starts_with = "Nobody" }')
    is_everywhere(
        text, text.replace("starts_with", "start_with"), "the subject begins with Nobody", row.meaning
    )
    life = Life(text)
    assert life.look(30).wanted
    assert "yes subject starts with Nobody (it is Nobody can log in)" in said(life, 31)
    assert not Life(text).with_fields(subject="All is well").look(30).wanted
    misfit = check(policy(when="replies = { starts_with = 1 }"))
    assert [problem.code for problem in misfit] == ["wrong-operator"]


def since_priority(sight: Any) -> Reading:
    """From the last change of the priority."""
    raised = list(sight.history.changes("priority"))
    if not raised:
        return Reading(why_absent=Phrase("nobody has changed the priority"))
    act = raised[-1].act
    return Reading(start=act.at, sequence=act.sequence, because=Phrase("the priority was changed"))


def test_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Clock(
        name="since_priority",
        meaning="From the last change of the priority.",
        absent="before the first",
        phrase="priority as it is for {}",
        cause="priority raised long ago",
        reads=frozenset({"changes", "priority"}),
        start=since_priority,
    )
    monkeypatch.setitem(CLOCKS, row.name, row)
    text = policy(clock="since_priority", more='pause_on = ["pending"]')
    assert check(text) == []
    assert [problem.code for problem in check(text.replace("_priority", "_prority"))] == ["unknown-clock"]
    assert schema_errors(text) == []
    assert schema_errors(text.replace("_priority", "_prority")) != []
    for printed in matrices(text):
        assert "from the last change of the priority" in " ".join(printed.split())
    assert "after 30 min" in cards(policy(OWNED, clock="since_priority"))
    assert any("`since_priority`" in line and row.meaning in line for line in words())
    life = Life(text).customer(0)
    assert not life.look(31).wanted
    assert "clock since_priority: absent, nobody has changed the priority" in said(life, 31)
    (note,) = (each.action for each in life.change(40, "priority", "urgent").look(70).wanted)
    assert note.reasons == ("priority as it is for 30m (limit 30m)",)  # type: ignore[union-attr]
    assert "counts from 2026-09-28 00:40 UTC: the priority was changed" in said(life, 71)
    assert {"changes", "priority"} <= reads_of(rules(text), "acme")
    hidden = Life(text).with_fields(hidden=frozenset({"priority"}))
    assert "absent, priority hidden from this user" in said(hidden, 31)


def test_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Stop(
        name="parked",
        meaning="Somebody puts the ticket on hold.",
        phrase="somebody puts it on hold",
        is_it=lambda fact, _history, _after: isinstance(fact, Change) and fact.after == "on_hold",
        reads=frozenset({"changes", "status"}),
    )
    monkeypatch.setitem(STOPS, row.name, row)
    text = policy(OWNED, when='priority = "high"', more='stop_on = ["agent_reply", "parked"]')
    is_everywhere(text, text.replace('"parked"', '"parkd"'), row.phrase, row.meaning)
    life = Life(text).customer(0)
    life.look(1)
    life.change(5, "status", "on_hold").look(6)
    assert life.reasons() == ["stop_on parked"]
    assert reads_of(rules(text), "acme") >= row.reads
    both = Life(text).customer(0)
    both.look(1)
    both.agent(5).look(6)
    assert both.reasons() == ["stop_on agent_reply"]


def test_a_strategy(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Strategy(
        name="last_by_name",
        meaning="The available member of the group whose name comes last.",
        phrase="the last by name in {group}",
        because=lambda group, _agent: f"last by name in {group.name}",
        rank=lambda _group, _directory: lambda agent: (-ord(agent.person.name[0]), 0),
    )
    monkeypatch.setitem(STRATEGIES, row.name, row)
    level = 'after = "30m"\nassign = { group = "Tier 2", agent = "last_by_name" }\nnote = "handoff"'
    text = policy(level)
    assert check(text) == []
    assert schema_errors(text) == []
    assert "last_by_name" in str(whole())
    for printed in matrices(text):
        assert "the last by name in Tier 2" in " ".join(printed.split())
    assert "Tier 2" in cards(text)
    assert any(row.meaning in line for line in words())
    life = Life(text, directory=LEADS).customer(0)
    assert "cat@acme.test: last by name in Tier 2" in said(life, 30)
    life.look(30)
    assert life.ticket.assignee is not None
    assert life.ticket.assignee.name == "Cat"
    skilled = text.replace('agent = "last_by_name"', 'agent = "last_by_name", skill = "by_tag"')
    assert check(skilled) == []


def test_a_strategy_that_names_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Strategy(
        name="the_lead",
        meaning="The lead of the group.",
        phrase="the lead of {group}",
        because=lambda group, _agent: f"lead of {group.name}",
        named=lambda group, directory: directory.leads.get(group.name),
    )
    monkeypatch.setitem(STRATEGIES, row.name, row)
    text = policy('after = "30m"\nassign = { group = "Tier 2", agent = "the_lead" }')
    leads = replace(LEADS, leads={"Tier 2": "ben@acme.test"})
    life = Life(text, directory=leads).customer(0)
    assert "ben@acme.test: lead of Tier 2" in said(life, 30)
    life.look(30)
    assert life.ticket.assignee == BEN
    (warning,) = Life(text).customer(0).look(30).warnings
    assert warning.endswith("nobody is lead of Tier 2; nobody is assigned")


def test_an_owner_function(monkeypatch: pytest.MonkeyPatch) -> None:
    row = OwnerFunction(
        name="deputy_of",
        meaning="Who stands in for the assignee.",
        phrases={"assignee": "whoever stands in for the assignee", "GROUP": "the deputy of {group}"},
        role="deputy",
        title="Deputy",
        asked="Do as they would.",
        find=lambda _argument, _ticket, _before, _directory: "dan@acme.test",
        climbs=True,
    )
    monkeypatch.setitem(OWNER_FUNCTIONS, row.name, row)
    text = policy(AFTER_30 + '\nowner = "deputy_of(assignee)"')
    assert check(text) == []
    assert [each.code for each in check(text.replace("deputy", "deputi"))] == ["unknown-function"]
    assert [each.code for each in check(text.replace("(assignee)", "(owner)"))] == ["wrong-argument"]
    assert schema_errors(text) == []
    for printed in matrices(text):
        assert "whoever stands in for the assignee" in " ".join(printed.split())
        assert "hierarchical" in printed
    assert "# Deputy" in cards(text)
    assert "Do as they would." in cards(text)
    assert any("`deputy_of(GROUP)`" in line for line in words())
    life = Life(text, directory=LEADS).customer(0)
    life.look(30)
    assert ticket_owner(life.standings) == Owner(name="dan@acme.test", kind="person")
    assert 'fires level "one"' in said(Life(text, directory=LEADS).customer(0), 30)
