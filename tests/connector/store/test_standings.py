"""What policies remember is replaced as a whole; episodes outlive it."""

from sqlalchemy import Connection

from connector.store.episodes import episodes_of
from connector.store.standings import remember_standings, standings_of, standings_of_tickets
from policies.model import TicketRef
from policies.state import Episode, How, Owner, Passed, Standing
from tests.connector.store.samples import REF


def an_episode(key: str = "e1", *, started: int = 10, ended: int | None = None) -> Episode:
    passed = (Passed(level="L1", how=How.FIRED, at=20), Passed(level="L2", how=How.FIRED, at=30))
    owner = Owner(name="Tier 2", kind="group")
    return Episode(
        key=key, policy="p", number=1, started=started, clock_start=5, passed=passed, owner=owner, ended=ended
    )


def test_standings_are_replaced_as_a_whole(connection: Connection) -> None:
    both = (Standing(policy="b"), Standing(policy="a", matched=True))
    remember_standings(connection, REF, both, before=())
    assert [one.policy for one in standings_of(connection, REF)] == ["a", "b"]
    remember_standings(connection, REF, (Standing(policy="b", episodes=2),), before=both)
    assert standings_of(connection, REF) == (Standing(policy="b", episodes=2),)


def test_many_tickets_at_once(connection: Connection) -> None:
    other = TicketRef("acme", "2")
    remember_standings(connection, REF, (Standing(policy="a"), Standing(policy="b")), before=())
    remember_standings(connection, other, (Standing(policy="a", matched=True),), before=())
    remember_standings(connection, TicketRef("beta", "1"), (Standing(policy="z"),), before=())
    assert standings_of_tickets(connection, "acme", ["1", "2", "3"]) == {
        "1": (Standing(policy="a"), Standing(policy="b")),
        "2": (Standing(policy="a", matched=True),),
    }


def test_an_ended_episode_is_still_told_of(connection: Connection) -> None:
    first = Standing(policy="p", episode=an_episode())
    remember_standings(connection, REF, (first,), before=())
    assert episodes_of(connection, REF) == (an_episode(),)
    ended = an_episode(ended=40)
    second = an_episode("e2", started=50)
    then = Standing(policy="p", episode=second)
    remember_standings(connection, REF, (then,), before=(first,), ended=[ended])
    assert episodes_of(connection, REF) == (ended, second)
