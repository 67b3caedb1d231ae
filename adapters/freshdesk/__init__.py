"""Freshdesk: every ticket of one account, read and written over its REST API, version 2."""

from adapters.base import Account, Adapter, Gate


def factory(account: Account, gate: Gate) -> Adapter:
    """Make the adapter for one account; ValueError names a setting that is wrong.

    The import stands here because the simulator lives in this package too and must not load what it is a
    check on.
    """
    from adapters.freshdesk.adapter import Freshdesk

    return Freshdesk(account, gate)
