"""Zammad: the tickets of one system, read and written over its REST API."""

from adapters.base import Account, Adapter, Gate


def factory(account: Account, gate: Gate) -> Adapter:
    """Make the adapter for one account; ValueError names a setting that is wrong.

    The import stands here because the simulator lives in this package too and must not load what it is a check on.
    """
    from uptier_zammad.adapter import Zammad

    return Zammad(account, gate)
