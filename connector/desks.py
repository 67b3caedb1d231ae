"""A desk: one connected account, with its adapter, its budget and what the config says of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.base import Adapter
from connector.work.budget import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One connected account. `poll` is in seconds."""

    name: str
    adapter: Adapter
    budget: Budget
    poll: int


Desks = Mapping[str, Desk]
