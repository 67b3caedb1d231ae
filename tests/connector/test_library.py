"""Each starter pack: what it is for, what it leaves alone, and the moment between the two."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from connector.config.files import names, text
from connector.config.settings import Loaded, load
from policies.model import Counts, Message, Priority, Status, Who
from tests.connector.packs import living, packs
from tests.policies.lives import BEN, CLEO, Life

HOUR = 60


def owners(life: Life) -> list[str]:
    """Who owns each running episode."""
    episodes = [each.episode for each in life.standings if each.episode and not each.episode.ended]
    return [each.owner.name for each in episodes if each.owner]


def says(life: Life, words: str, minutes: float = 0) -> Life:
    """The customer writes this."""
    act = life.act(minutes, Who.CUSTOMER, "cleo")
    message = Message(act=act, public=True, body=words)
    life.ticket = replace(life.ticket, messages=(*life.ticket.messages, message))
    return life


def fired(life: Life) -> list[str | None]:
    """Every level that fired, of any policy."""
    return [level for what, _, level in life.ledger if what == "fired"]


@pytest.mark.parametrize("name", names())
def test_a_pack_is_right_as_it_comes_and_says_what_it_is_for(name: str) -> None:
    assert packs(name).policies
    pack = tomllib.loads(text(name))["pack"]
    assert pack["summary"].endswith(".")
    for body in tomllib.loads(text(name))["templates"].values():
        assert set(body) == {"en", "de", "fr", "es"}


def test_all_packs_together_are_right() -> None:
    assert len(packs(*names()).policies) == 9


def test_sla_guard_warns_before_a_target_is_missed_and_hands_it_up_when_it_is() -> None:
    life = living("sla-guard").customer(0).agent(5).customer(10)
    life.look(10 + 89)
    assert fired(life) == []
    life.look(10 + 90)
    assert fired(life) == ["Warning"]
    assert owners(life)[0] == "ann@acme.test"
    life.look(10 + 120)
    assert fired(life)[-1] == "Missed"
    assert "dan@acme.test" in owners(life)


def test_sla_guard_leaves_an_answered_ticket_alone() -> None:
    life = living("sla-guard").customer(0).agent(5).customer(10).agent(20)
    life.look(10 + 150)
    assert fired(life) == []


@pytest.mark.parametrize(
    ("minutes", "levels"), [(29, []), (30, ["Lead"]), (60, ["Manager"]), (120, ["Everybody"])]
)
def test_urgent_unanswered_climbs(minutes: int, levels: list[str]) -> None:
    life = living("urgent-unanswered").with_fields(priority=Priority.URGENT).customer(0)
    life.look(minutes)
    assert fired(life) == levels


def test_urgent_unanswered_gives_it_to_the_team_if_one_is_named() -> None:
    life = living("urgent-unanswered", team="Tier 2").with_fields(priority=Priority.URGENT).customer(0)
    life.look(30)
    assert life.ticket.group is not None
    assert life.ticket.group.name == "Tier 2"
    untouched = living("urgent-unanswered").with_fields(priority=Priority.URGENT).customer(0)
    untouched.look(30)
    assert untouched.ticket.group is not None
    assert untouched.ticket.group.name == "Tier 1"


def test_urgent_unanswered_is_not_for_others() -> None:
    life = living("urgent-unanswered").customer(0)
    life.look(200)
    assert fired(life) == []


@pytest.mark.parametrize(("vip", "levels"), [(True, ["At once"]), (False, [])])
def test_vip_raises_the_priority_at_once(vip: bool, levels: list[str]) -> None:
    life = living("vip").with_fields(requester=replace(CLEO, vip=vip), priority=Priority.LOW).customer(0)
    life.look(14)
    assert fired(life) == levels
    assert life.ticket.priority == (Priority.HIGH if vip else Priority.LOW)


def test_vip_tells_the_lead_after_a_quarter_of_an_hour() -> None:
    life = living("vip").with_fields(requester=replace(CLEO, vip=True)).customer(0)
    life.look(14)
    life.look(15)
    assert fired(life) == ["At once", "Lead"]


@pytest.mark.parametrize(("reopens", "levels"), [(1, []), (2, ["Lead"]), (3, ["Lead"])])
def test_reopened_counts_from_two(reopens: int, levels: list[str]) -> None:
    life = living("reopened").with_fields(counts=Counts(reopens=reopens))
    life.look(1)
    assert fired(life) == levels


@pytest.mark.parametrize(
    ("counts", "levels"),
    [
        (Counts(bounces=0, group_bounces=0, group_moves=3), []),
        (Counts(bounces=0, group_bounces=0, group_moves=4), ["One owner"]),
        (Counts(bounces=1, group_bounces=0, group_moves=0), ["One owner"]),
        (Counts(bounces=0, group_bounces=1, group_moves=2), ["One owner"]),
        (Counts(), []),
    ],
)
def test_bouncing_gives_one_owner(counts: Counts, levels: list[str]) -> None:
    life = living("bouncing").with_fields(counts=counts)
    life.look(1)
    assert fired(life) == levels
    assert owners(life) == (["ann@acme.test"] if levels else [])


@pytest.mark.parametrize(
    ("words", "levels"),
    [
        ("I want to speak to your manager.", ["Lead"]),
        ("Ich möchte mit Ihrem Vorgesetzten sprechen.", ["Lead"]),
        ("My manager asked me to write to you.", []),
        ("> I want to speak to your manager.\n\nThanks, all is well.", []),
    ],
)
def test_a_customer_who_asks_for_a_manager_gets_one(words: str, levels: list[str]) -> None:
    life = says(living("customer-asks-for-manager"), words)
    life.look(1)
    assert fired(life) == levels


@pytest.mark.parametrize(
    ("words", "levels"),
    [
        ("My lawyer will contact you.", ["At once"]),
        ("Our account was hacked.", ["At once"]),
        ("I hacked together a small script with your API.", []),
    ],
)
def test_security_and_legal_wording_goes_straight_to_the_team(words: str, levels: list[str]) -> None:
    life = says(living("security-and-legal", owner="Duty", team="Duty"), words)
    life.look(0)
    assert fired(life) == levels
    assert life.ticket.group is not None
    assert (life.ticket.group.name == "Duty") is bool(levels)


@pytest.mark.parametrize(
    ("hours", "levels"), [(3.9, []), (4, ["Reminder"]), (8, ["Lead"]), (12, ["Somebody else"])]
)
def test_a_silent_assignee_is_reminded_and_then_replaced(hours: float, levels: list[str]) -> None:
    life = living("silent-assignee").with_fields(status=Status.OPEN).change(0, "assignee", None, by="ann")
    life.ticket = replace(life.ticket, assignee=BEN)
    life = life.change(0, "assignee", "ben", by="ann")
    life.look(hours * HOUR)
    assert fired(life) == levels


def loaded(tmp_path: Path, more: str) -> Loaded:
    """A config with these lines."""
    file = tmp_path / "uptier.toml"
    file.write_text(
        f'[service]\nuse = ["vip"]\n{more}\n[accounts.acme]\nadapter = "zendesk"\nurl = "https://acme.example"\n'
        'auth = { kind = "bearer", token = "secret:acme-token" }\n',
        encoding="utf-8",
    )
    return load(file)


def test_a_pack_is_taken_up_and_fitted(tmp_path: Path) -> None:
    found = loaded(tmp_path, '[use.vip]\nafter = "5m"\naccounts = ["acme"]\nmode = "observe"')
    assert found.problems == ()
    assert found.policies is not None
    (policy,) = found.policies.policies
    assert (policy.mode, policy.accounts, policy.levels[1].after) == ("observe", frozenset({"acme"}), 300)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('[use.vip]\naftr = "5m"', 'pack "vip" has no setting `aftr`. Did you mean "after"?'),
        ("[use.vip]\nafter = 5", "`after` is of another kind than '15m'"),
        ('[use.vip]\nafter = "soon"', '"soon" is not a duration'),
        ("[use.vpi]\nafter = 5", 'pack "vpi" is not in use'),
        ("[polices]\nx = 1", "`polices` is not a table here"),
    ],
)
def test_what_is_wrong_about_a_pack_is_said(tmp_path: Path, more: str, says: str) -> None:
    assert any(says in str(each) for each in loaded(tmp_path, more).problems)


def test_a_pack_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "uptier.toml"
    file.write_text('[service]\nuse = ["vpi"]\n', encoding="utf-8")
    assert any('there is no pack "vpi". Did you mean "vip"?' in str(each) for each in load(file).problems)
