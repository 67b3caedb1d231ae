"""Links with which people act, on both databases: kept by digest, used once, forgotten."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from connector.store import links
from connector.store.database import Store
from connector.store.links import KEPT, Link
from policies.model import TicketRef

LINK = Link(
    verb="acknowledge",
    ref=TicketRef("acme", "1"),
    policy="waits",
    episode="e",
    level="one",
    channel="phone",
    person="dana@acme.test",
    until=1_000,
)


def test_a_link_is_used_once_and_forgotten_once_it_is_over_for_long(store: Store) -> None:
    with store.writing() as connection:
        links.keep(connection, {"d1": LINK, "d2": replace(LINK, until=2_000)})

    def use(_: int) -> bool:
        with store.writing() as connection:
            return links.use(connection, "d1", 500)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(8))) == [False] * 7 + [True]
    with store.writing() as connection:
        links.keep(connection, {"d1": LINK})  # planned anew: what was used stays used
        kept = links.find(connection, "d1")
        assert kept is not None
        assert (kept.link, kept.used) == (LINK, 500)
        assert not links.use(connection, "unknown", 500)
        links.forget(connection, LINK.until + KEPT + 1)
        assert links.find(connection, "d1") is None
        assert set(links.find_all(connection, ("d1", "d2"))) == {"d2"}
