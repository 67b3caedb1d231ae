"""The console put together over a running service."""

from starlette.routing import BaseRoute

from adapters.base import Limit
from connector.compose import Parts
from connector.console.access import Access
from connector.console.api import Api
from connector.console.pages import Console
from connector.console.papers import Papers
from connector.settings import Settings
from connector.settings_values import is_loopback


def console(settings: Settings, parts: Parts, host: str) -> list[BaseRoute]:
    """Its addresses, for a service that listens on `host`."""
    access = Access(
        parts.store,
        parts.clock.now,
        hosts=settings.service.hosts | ({host} - {"0.0.0.0", "::"}),  # noqa: S104 (left out, not listened on)
        only_this_machine=is_loopback(host),
    )

    def budgets(account: str) -> tuple[Limit, ...]:
        desk = parts.desks.get(account)
        return () if desk is None else desk.budget.told()

    papers = Papers(store=parts.store, settings=settings, rules=parts.rules)
    pages = Console(store=parts.store, now=parts.clock.now, access=access, papers=papers, budgets=budgets)
    api = Api(store=parts.store, now=parts.clock.now, access=access, papers=papers, budgets=budgets)
    return [*pages.routes(), *api.routes()]
