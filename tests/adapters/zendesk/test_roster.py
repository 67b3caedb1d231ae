"""Who is who, asked for as seldom as possible."""

from typing import Any, cast

import pytest

from adapters.base import NotAllowed
from adapters.http import Refused
from adapters.zendesk.client import Answer, Client
from adapters.zendesk.people import IdentityCache
from policies.model import Agent, Directory, Person


class Asked:
    """A helpdesk that counts what it is asked for, and knows two people."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, Any]] = {"21": {"role": "agent"}, "41": {"role": "end-user"}}
        self.asked: list[str] = []
        self.identities = IdentityCache(cast("Client", self), list)

    def get(self, path: str) -> Answer:
        what = path.rpartition("/")[2]
        self.asked.append(what)
        if what == "me":
            return Answer(body={"user": {"id": 9}}, at=0)
        if what in self.people:
            return Answer(body={"user": self.people[what]}, at=0)
        raise NotAllowed("no") from Refused(404 if path.startswith("/users/") else 403, None)


def test_a_stranger_is_asked_for_once_and_so_is_one_whom_nobody_knows() -> None:
    desk = Asked()
    roles = [desk.identities.role_of(key) for key in ("21", "41", "77", "21", "41", "77")]
    assert roles == ["agent", "end-user", None] * 2
    assert desk.asked == ["21", "41", "77"]


def test_whom_the_directory_names_is_not_asked_for_and_strangers_are_met_anew_with_a_new_one() -> None:
    desk = Asked()
    assert desk.identities.role_of("77") is None
    desk.people["77"] = {"role": "agent"}
    agent = Agent(person=Person(id="22", name="Ben"))
    desk.identities.refresh(Directory(account="acme", agents=(agent,)))
    assert [desk.identities.role_of(key) for key in ("22", "77")] == ["agent", "agent"]
    assert desk.asked == ["77", "77"]


def test_the_bot_is_asked_for_once() -> None:
    desk = Asked()
    assert (desk.identities.bot(), desk.identities.bot(), desk.asked) == ("9", "9", ["me"])


@pytest.mark.parametrize("role", [None, 5, ["agent"]])
def test_a_role_that_is_no_word_is_none(role: Any) -> None:
    desk = Asked()
    desk.people["5"] = {"role": role}
    assert desk.identities.role_of("5") is None


def test_what_is_not_shown_to_us_is_not_known() -> None:
    desk = Asked()
    assert desk.identities.statuses() is None
    assert not desk.identities.has_targets()
    assert not desk.identities.has_targets()
    assert desk.asked == ["custom_statuses", "policies"]
