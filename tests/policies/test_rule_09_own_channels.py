"""Channels that follow the owner (rule 9): `notify = ["owner"]`."""

import pytest

from policies.language.document import Document, read
from policies.language.parse import parse
from policies.plan import Notify, Plan
from tests.policies.lives import HEAD, Life, policy

CHANNELS = "".join(f'[channels.{name}]\nurl = "secret:{name}"\n' for name in ("leads", "phone", "desk"))
FULL = f'{HEAD}{CHANNELS}[people."dan@acme.test"]\nchannels = ["phone", "leads"]\n[groups.Duty]\nchannels = ["desk"]\n'


def heard(plan: Plan) -> list[str]:
    """The channels that hear of it."""
    return [each.action.channel for each in plan.wanted if isinstance(each.action, Notify)]


@pytest.mark.parametrize(
    ("owner", "notify", "hears"),
    [
        ("dan@acme.test", '["owner"]', ["phone", "leads"]),
        ("Duty", '["owner"]', ["desk"]),
        ("dan@acme.test", '["leads", "owner"]', ["leads", "phone"]),
    ],
)
def test_whoever_owns_it_hears_of_it_each_channel_once(owner: str, notify: str, hears: list[str]) -> None:
    life = Life(policy(f'after = "30m"\nowner = "{owner}"\nnotify = {notify}'), head=FULL)
    assert heard(life.look(30)) == hears


def test_who_has_none_is_told_to_the_operator_and_the_rest_is_done() -> None:
    plan = Life(
        policy('after = "30m"\nowner = "ann@acme.test"\nnotify = ["owner", "leads"]'), head=FULL
    ).look(30)
    assert heard(plan) == ["leads"]
    assert plan.warnings == ('level "one": ann@acme.test has no channels; say which in [people] or [groups]',)


def test_who_is_asked_to_approve_hears_of_that() -> None:
    asks = 'approval = { owner = "dan@acme.test", notify = ["owner"], within = "1h" }'
    life = Life(policy(f'after = "30m"\nowner = "Duty"\nassign = {{ group = "Duty" }}\n{asks}'), head=FULL)
    assert heard(life.look(30)) == ["phone", "leads"]
    assert heard(life.look(90)) == []  # the default owner is told, who has none


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ('[people."ann@acme.test"]\nchannels = ["fax"]\n', "unknown-channel"),
        ('[channels.owner]\nurl = "secret:owner"\n', "reserved"),
    ],
)
def test_what_cannot_be_meant_is_refused(more: str, code: str) -> None:
    document = read("uptier.toml", FULL + more + policy('after = "30m"\nnotify = ["owner"]'))
    assert isinstance(document, Document)
    assert code in {each.code for each in parse([document]).problems if each.severity == "error"}
