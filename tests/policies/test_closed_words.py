"""Actions and the keys of a level are closed sets: each is read, decided, written, said, kept and taken back somewhere,
and none of these places may leave one out."""

import ast
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import cast, get_args

import pytest

import adapters.servicenow.delivery as servicenow
import adapters.zendesk.answers as zendesk
from adapters.base import ActionKind, Note, VendorAction
from adapters.contract.sandbox import Sandbox
from adapters.contract.suite import actions
from adapters.contract.ticket import one_of_each
from connector.config.values import vendors
from connector.work.sender import without_parts
from policies.language.policy import AssignSpec, Level
from policies.language.vocabulary import ACTIONS, DUES, LEVEL_KEYS
from policies.model import Order, Priority
from policies.plan import (
    Action,
    Assign,
    ChangeTags,
    Follow,
    PutBackPriority,
    RaisePriority,
    SetField,
)
from policies.present.describe import LevelWords, describe
from policies.rules.observe import level_reads
from tests.policies.lives import ANN, DIRECTORY, HEAD, Life, at, policy, rules

ROOT = Path(__file__).parents[2]
FULL = (
    HEAD.replace("[accounts.acme]", '[accounts.acme]\nfields = { tier = "1" }').replace(
        "[accounts.other]", '[accounts.other]\nfields = { tier = "1" }'
    )
    + '[channels.leads]\nurl = "secret:leads"\n'
)
WRITTEN = {
    "name": 'name = "one"',
    "kind": 'kind = "hierarchical"',
    "after": 'after = "30m"',
    "before": 'before = "30m"',
    "at": "at = 50",
    "clock": 'clock = "since_last_level"',
    "on": 'on = "fri 17:00"\nclock = "weekly"',
    "owner": 'owner = "Duty"',
    "assign": 'assign = { group = "Duty" }',
    "return": "return = true",
    "priority": 'priority = { at_least = "urgent" }',
    "tags": 'tags = ["new"]',
    "untag": 'untag = ["old"]',
    "set": "set = { custom.tier = 2 }",
    "note": 'note = "handoff"',
    "reply": 'reply = "handoff"',
    "follow": 'follow = ["ann@acme.test"]',
    "notify": 'notify = ["leads"]',
    "ask": 'ask = "Call."',
    "checklist": 'checklist = ["Look"]',
    "hand_off": "hand_off = true",
    "approval": "approval = {}",
    "within": 'within = "office"',
    "otherwise": 'otherwise = { owner = "Duty" }',
    "repeat": 'repeat = { every = "1h", times = 2 }',
}
"""Each key of a level as it is written."""

DONE = {
    "assign": "assign",
    "priority": "priority",
    "tags": "tags",
    "untag": "tags",
    "set": "set",
    "note": "say",
    "reply": "say",
    "follow": "follow",
    "notify": "notify",
}
"""Each action of a level, and the kind of what a plan asks for it."""

UNDONE = {"assign": "assign", "priority": "put_back", "tags": "tags", "untag": "tags", "set": "set"}
"""What takes an action back. What was said stays said, and who follows may go on."""

READ = {
    "assign": {"group", "assignee"},
    "priority": {"priority"},
    "tags": {"tags"},
    "untag": {"tags"},
    "set": {"custom.tier"},
    "note": set[str](),
    "reply": set[str](),
    "follow": set[str](),
    "notify": set[str](),
    "return": {"group", "assignee"},
}
"""What of a ticket an action reads and writes. No other key needs any of it, but an owner who is its assignee."""

LACKS = {"freshdesk": {"follow"}}
"""The actions that a helpdesk has no way to do."""

BESIDE = {
    "ask": ("note",),
    "checklist": ("note",),
    "hand_off": ("note", "ask"),
    "otherwise": ("within", "tags"),
    "repeat": ("note",),
}
"""What a key needs beside it."""


def ladder(*keys: str) -> str:
    """A policy of two levels, the second of which says these keys, and when it is due."""
    due = () if set(keys) & {*DUES} else ("after",)
    lines = "\n".join(WRITTEN[key] for key in dict.fromkeys((*due, *keys)))
    on = "resolution" if set(keys) & {"before", "at"} else "created"
    first = 'after = "0m"\nkind = "priority"\ntags = ["l1"]'
    return policy(first, lines, clock=on, more='calendar = "office"')


def level(*keys: str) -> Level:
    """That level."""
    return rules(ladder(*keys), FULL).policies[0].levels[1]


def said(*keys: str) -> LevelWords:
    """The same in words."""
    policies = rules(ladder(*keys), FULL)
    return describe(policies.policies[0], policies).levels[1]


def life(key: str) -> Life:
    """A ticket on which a level with this action alone has fired."""
    text = policy(f'after = "30m"\n{WRITTEN[key]}')
    return Life(text, head=FULL).with_fields(tags=frozenset({"old"}), custom={"tier": 1})


def test_every_key_and_every_action_is_here() -> None:
    assert list(WRITTEN) == list(LEVEL_KEYS)
    assert list(DONE) == list(ACTIONS)
    kinds = {part.default for each in get_args(Action) for part in fields(each) if part.name == "kind"}
    assert kinds == {*DONE.values(), "put_back"}
    assert {*UNDONE.values()} <= kinds


def test_a_level_keeps_every_key_it_is_written_with() -> None:
    kept = {each.name for each in fields(Level)} - {"waits"}
    assert kept == set(LEVEL_KEYS) - {"return"}, "which is the one way to assign that names nobody"
    assert level("return").assign == AssignSpec(back=True)


@pytest.mark.parametrize("key", [key for key in LEVEL_KEYS if key not in ("name", "return", *DUES)])
def test_every_key_is_read_and_said(key: str) -> None:
    beside = BESIDE.get(key, ("untag",) if key == "tags" else ("tags",))
    assert getattr(level(*beside, key), key) != getattr(level(*beside), key, None)
    assert said(*beside, key) != said(*beside)


def test_giving_back_is_said() -> None:
    assert said("return").target != said("assign").target


@pytest.mark.parametrize("key", ["before", "at", "on"])
def test_every_way_to_be_due_is_read_and_said(key: str) -> None:
    assert getattr(level(key, "note"), key) is not None
    assert said(key, "note").time != said("note").time


@pytest.mark.parametrize("key", [key for key in LEVEL_KEYS if key != "name"])
def test_what_a_key_reads_and_writes_is_asked_for(key: str) -> None:
    assert {*ACTIONS, "return"} == {*READ}
    keys = (*BESIDE.get(key, ("note",)), key)
    assert level_reads(level(*keys)) == set[str]().union(*(READ.get(each, set()) for each in keys))


@pytest.mark.parametrize("key", ACTIONS)
def test_every_action_is_merged_into_the_plan(key: str) -> None:
    assert [each.action.kind for each in life(key).plan(30).wanted] == [DONE[key]]


@pytest.mark.parametrize("key", ACTIONS)
def test_every_action_is_taken_back_or_stays_for_good(key: str) -> None:
    one = life(key)
    one.look(30)
    given = (Order(verb="deescalate", who="dana", at=at(40)),)
    undone = [each.action.kind for each in one.plan(40, given).wanted]
    assert undone == ([UNDONE[key]] if key in UNDONE else [])


@pytest.mark.parametrize("vendor", vendors())
@pytest.mark.parametrize("action", get_args(VendorAction))
def test_every_helpdesk_names_every_action(vendor: str, action: type) -> None:
    tree = ast.parse((ROOT / "adapters" / vendor / "writes.py").read_text(encoding="utf-8"))
    matched = {
        each.cls.id
        for each in ast.walk(tree)
        if isinstance(each, ast.MatchClass) and isinstance(each.cls, ast.Name)
    }
    assert action.__name__ in matched


def test_every_action_has_its_kind() -> None:
    kinds = {part.default for each in get_args(VendorAction) for part in fields(each) if part.name == "kind"}
    assert {*get_args(ActionKind)} == kinds | {"reply"}


@pytest.mark.parametrize("vendor", vendors())
def test_every_helpdesk_can_do_every_action_that_it_does_not_lack(vendor: str) -> None:
    module = import_module(f"adapters.{vendor}.adapter")
    (told,) = (
        each.capabilities.actions
        for each in vars(module).values()
        if each.__class__ is type and each.__module__ == module.__name__ and hasattr(each, "capabilities")
    )
    assert told == {*get_args(ActionKind)} - LACKS.get(vendor, set())


def test_the_contract_tries_every_action() -> None:
    assert {*one_of_each(DIRECTORY)} == {*get_args(ActionKind)}
    desk = SimpleNamespace(directory=lambda: DIRECTORY)
    sandbox = SimpleNamespace(adapter=desk, agent=ANN.label, second="Duty", custom=("tier", 2))
    tried = actions(cast("Sandbox", sandbox))
    assert {*tried} | {"put_back"} == {*get_args(ActionKind)}
    assert {type(each) for each in tried.values()} | {PutBackPriority} == {*get_args(VendorAction)}


NAMES: dict[VendorAction, str] = {
    Assign(group=None, assignee=None): "assignment",
    RaisePriority(at_least=Priority.HIGH): "priority",
    PutBackPriority(to=Priority.LOW): "priority put back",
    ChangeTags(): "tags",
    SetField(field="custom.tier", value=1): "field custom.tier",
    Follow(person=ANN): "follower",
    Note(public=False, body=""): "note",
    Note(public=True, body=""): "reply",
}
"""What the ledger calls each part of a write."""


def test_the_ledger_has_a_name_for_every_action() -> None:
    assert {type(each) for each in NAMES} == set(get_args(VendorAction))
    assert {each: each.called for each in NAMES} == NAMES


def test_a_part_of_a_write_goes_by_one_name_in_the_action_and_in_each_helpdesk() -> None:
    parts = {name for each in NAMES for name in (*each.replaces, *each.adds)}
    told = {*zendesk.NAMES.values(), *servicenow.SPOKEN.values()}
    assert told <= parts
    assert parts - {"custom.tier"} == {"group", "assignee", "priority", "tags", "follow", "note", "reply"}


@pytest.mark.parametrize("action", NAMES, ids=NAMES.values())
def test_a_refused_part_is_taken_out_of_a_write_whatever_it_is(action: VendorAction) -> None:
    ticket = life("note").ticket
    for name in (*action.replaces, *action.adds):
        assert without_parts(action, {name}, ticket) is None
    assert without_parts(action, {"category"}, ticket) is action
