"""The engine that suits a store, quick to look and slow to despair."""

from connector.app.supervision import Ailments
from connector.clock import ManualClock
from connector.engine import Engine
from connector.engine.fleet import FleetEngine
from connector.engine.local import LocalEngine
from connector.store.database import Store

NOW = 1000
ACCOUNTS = ("acme", "beta")


def engine_over(store: Store, *, per_account: int, accounts: tuple[str, ...] = ACCOUNTS) -> Engine:
    """At most so many looks at once an account."""
    if store.path is not None:
        return LocalEngine(
            store, ManualClock(NOW), Ailments(lambda: NOW), threads=2 * per_account, per_account=per_account
        )
    return fleet(store, per_account=per_account, accounts=accounts)


def fleet(store: Store, *, per_account: int = 2, accounts: tuple[str, ...] = ACCOUNTS) -> FleetEngine:
    """One process of a fleet."""
    return FleetEngine(
        store,
        ManualClock(NOW),
        Ailments(lambda: NOW),
        address=store.name,
        accounts=accounts,
        heartbeat=1.0,
        stalled_after=30.0,
        fetch_every=0.05,
        urgent_threads=per_account,
        backfill_threads=1,
    )
