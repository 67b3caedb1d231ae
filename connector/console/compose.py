"""The console put together over a running service."""

from starlette.routing import BaseRoute

from adapters.base import Limit
from connector.compose import Parts
from connector.console.access import Access
from connector.console.api import Api
from connector.console.pages import Console
from connector.console.papers import Papers
from connector.settings import Settings
from connector.settings_values import EVERY_ADDRESS


def access_of(settings: Settings, parts: Parts) -> Access:
    """Who gets in, for a service of these settings."""
    said = settings.service
    listened_on = frozenset({said.address[0]} - set(EVERY_ADDRESS))
    return Access(parts.store, parts.clock.now, hosts=said.names | listened_on, by_https=said.by_https)


def console(settings: Settings, parts: Parts, access: Access) -> list[BaseRoute]:
    """Its addresses."""

    def budgets(account: str) -> tuple[Limit, ...]:
        desk = parts.desks.get(account)
        return () if desk is None else desk.budget.told()

    papers = Papers(store=parts.store, settings=settings, rules=parts.rules)
    pages = Console(store=parts.store, now=parts.clock.now, access=access, papers=papers, budgets=budgets)
    api = Api(store=parts.store, now=parts.clock.now, access=access, papers=papers, budgets=budgets)
    return [*pages.routes(), *api.routes()]
