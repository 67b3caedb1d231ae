"""Two looks at the same moment: round robin gives the next one to the next person, caps count both. On both
databases, for on one of them many threads look and on the other many processes too."""

from pathlib import Path
from typing import Any

import pytest

from connector.demo import CONFIG
from connector.store import accounts, holds
from connector.work import worker as looking
from tests.connector.each import Each, each
from tests.connector.work.test_superseded import paused_at
from tests.postgres import database

ROBIN = CONFIG.replace(
    'assign = { group = "Tier 2" }', 'assign = { group = "Tier 2", agent = "round_robin" }', 1
)


def at_the_same_moment(here: Each) -> None:
    """The look at "one" has been decided and is not stored yet; meanwhile "two" gets a whole look."""
    here.opened("one", "two")
    here.round()
    here.clock.advance(31 * 60)
    worker: Any = here.service.parts.worker
    with paused_at(looking, "prepare", lambda: worker.work(here.ref("one"))):
        worker.work(here.ref("two"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_round_robin_gives_two_tickets_to_two_people(kind: str, tmp_path: Path) -> None:
    with database() as url:
        config = ROBIN if kind == "sqlite" else ROBIN.replace("sqlite:///uptier.db", url)
        with each("zendesk", tmp_path, config=config) as here:
            here.desk.desk.seed(agents=[{"name": "Ben", "email": "ben@acme.test", "groups": ["Tier 2"]}])
            at_the_same_moment(here)
            with here.service.parts.store.reading() as connection:
                turns = accounts.turns_of_round_robin(connection, here.desk.account)
            assert len(turns) == 2
            assert {here.show(word).group for word in ("one", "two")} == {"Tier 2"}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_cap_of_one_holds_one_of_two(kind: str, tmp_path: Path) -> None:
    with database() as url:
        config = CONFIG if kind == "sqlite" else CONFIG.replace("sqlite:///uptier.db", url)
        with each("zendesk", tmp_path, config=config, service="caps = { escalations_per_hour = 1 }") as here:
            at_the_same_moment(here)
            assert sorted(here.show(word).group for word in ("one", "two")) == ["Tier 1", "Tier 2"]
            with here.service.parts.store.reading() as connection:
                assert len(holds.every(connection)) == 1
