"""What a census, a poll, a changed policy and a changed text cost: requests in the simulator's own log, on each
helpdesk, for 200 open tickets of which a policy matches ten."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.connector.beside import START
from tests.connector.each import EACH, Each, each

CONFIG = """[service]
database      = "sqlite:///uptier.db"
listen        = "127.0.0.1:0"
mode          = "enforce"
default_owner = "Escalations"

[templates.handoff]
en = "Please see to this."

[[policy]]
name    = "gold"
clock   = "customer_waiting"
stop_on = ["agent_reply", "acknowledged"]

[policy.when]
status   = ["new", "open"]
tags     = { has = "gold" }

[[policy.level]]
name   = "Second line"
after  = "72h"
owner  = "Tier 2"
assign = { group = "Tier 2" }
tags   = ["escalated"]
note   = "handoff"
"""
OPEN, MATCHING = 200, 10

PAGE = re.compile(r"(/search/export|/incremental/tickets/cursor|/api/v2/tickets|/table/incident)(\.json)?$")
"""The ends of the paths of lists of tickets."""

PEOPLE = re.compile(r"group|users|agents|_fields|whoisoncall|sys_user")
"""What stands in the paths of all that the directory is read by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Requests of a round: for pages of lists of tickets, about single tickets, and for who works there."""

    pages: int
    tickets: int = 0
    people: int = 0


@contextmanager
def furnished(vendor: str, folder: Path, config: str = CONFIG) -> Iterator[Each]:
    """The service beside 200 tickets that have been waiting for two hours, ten of them tagged gold."""
    with each(vendor, folder, config=config) as one:
        for number in range(OPEN):
            tag = "gold" if number < MATCHING else "eu"
            one.desk.open(f"t{number}", f"About {number}", tag, at=START - 7200)
        yield one


def spent(one: Each, minutes: float = 0) -> Spent:
    """What a round after so many minutes costs."""
    before = len(one.desk.desk.log)
    one.round(minutes)
    paths = [row.path for row in one.desk.desk.log[before:]]
    pages = sum(PAGE.search(path) is not None for path in paths)
    people = sum(PEOPLE.search(path) is not None for path in paths)
    return Spent(pages=pages, people=people, tickets=len(paths) - pages - people)


FIRST = {
    "zendesk": Spent(pages=4, tickets=30, people=5),
    "freshdesk": Spent(pages=7, tickets=30, people=9),
    "servicenow": Spent(pages=2, tickets=30, people=3),
}


@pytest.mark.parametrize("vendor", EACH)
def test_a_first_census_loads_what_a_policy_could_match(vendor: str, tmp_path: Path) -> None:
    with furnished(vendor, tmp_path) as one:
        assert spent(one) == FIRST[vendor]
