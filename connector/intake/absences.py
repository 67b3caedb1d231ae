"""When somebody becomes absent, their open tickets are owed a look: nothing happens to them by itself."""

import json

import structlog

from connector.engine import Engine
from connector.store import accounts, inbox, tickets
from connector.store.database import Store
from connector.store.inbox import Arrival
from connector.work.context import Rules
from policies.model import Instant, Need
from policies.rules.assignment import is_present

AWAY = "away"

log = structlog.get_logger()


def wake_for_absent(store: Store, account: str, engine: Engine, rules: Rules, now: Instant) -> int:
    """Wake what newly absent people have, if any policy asks who is there; answers how many tickets that is. Who is
    away the first time is only noted: the census looks at every open ticket then."""
    if Need.AVAILABILITY not in rules.policies.needs:
        return 0
    with store.writing() as connection:
        known = accounts.read_directory(connection, account)
        if known is None:
            return 0
        people = rules.peopled(known.directory, now)
        away = frozenset(agent.person.id for agent in people.agents if not is_present(agent))
        before = accounts.read_cursor(connection, account, AWAY)
        accounts.save_cursor(connection, account, AWAY, json.dumps(sorted(away)), now)
        newly = away - frozenset(json.loads(before)) if before is not None else frozenset[str]()
        if not newly:
            return 0
        refs = tickets.assigned_to(connection, account, newly)
        news = [
            Arrival(
                account=account,
                ticket=ref.id,
                delivery=f"away:{ref.id}:{now}",
                kind="census",
                received_at=now,
            )
            for ref in refs
        ]
        engine.wake(connection, inbox.put_news(connection, news), urgent=False)
    log.info("absent", account=account, people=len(newly), tickets=len(refs))
    return len(refs)
