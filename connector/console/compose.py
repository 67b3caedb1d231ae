"""The console put together over a running service."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from connector.app.canary import failed_tests
from connector.app.compose import Parts
from connector.config.settings import Settings
from connector.config.values import EVERY_ADDRESS, vendors
from connector.console import queries
from connector.console.access import Access
from connector.console.api import Api
from connector.console.documents import Papers
from connector.console.pages import Console
from connector.console.planning import Planning, Progress
from connector.console.trying import Trying
from connector.report.calls import calls_of
from connector.store import fleet
from connector.store.database import shared_now
from connector.store.fleet import Failing
from connector.work.planning import Maker
from connector.work.plans import ManyPlan

if TYPE_CHECKING:
    from connector.console.sign_on import SignOn


def access_of(settings: Settings, parts: Parts) -> Access:
    """Who gets in, for a service of these settings."""
    said = settings.service
    listened_on = frozenset({said.address[0]} - set(EVERY_ADDRESS))
    return Access(parts.store, parts.clock, hosts=said.names | listened_on, by_https=said.by_https)


def console(
    settings: Settings,
    parts: Parts,
    access: Access,
    secret: Callable[[str], str],
    failing: Callable[[], tuple[Failing, ...]],
    config: Path | None,
) -> list[BaseRoute]:
    """Its addresses; `secret` resolves references, `failing` tells what fails in this process,
    `config` is the file of these settings, without which no change is tried. Raises SecretError."""

    def health() -> queries.Health:
        with parts.store.reading() as connection:
            known = fleet.others(connection, parts.name, shared_now(connection, parts.clock))
            return queries.health_page(
                connection,
                parts.store.trouble,
                failing(),
                parts.skews.telling(),
                known,
                tuple(
                    calls_of(
                        connection,
                        name,
                        vendor=vendors().get(said.adapter),
                        share=said.budget,
                        poll=said.poll,
                        policies=parts.rules().policies,
                        now=parts.clock.now(),
                    )
                    for name, said in sorted(settings.accounts.items())
                ),
                failed_tests(connection),
                parts.canary.health_of(connection, parts.rules().policies, settings.accounts),
                parts.clock.now(),
            )

    def make(policy: str | None, account: str | None, progress: Progress) -> ManyPlan:
        maker = Maker(
            store=parts.store,
            desks=parts.desks,
            rules=parts.rules(),
            caps=settings.service.caps,
            clock=parts.clock,
            progress=progress,
        )
        return maker.make(policy, account, parts.clock.now())

    papers = Papers(store=parts.store, settings=settings, rules=parts.rules)
    planning = Planning(parts.store, tuple(settings.accounts), parts.clock.now, make)
    pages = Console(
        store=parts.store,
        now=parts.clock.now,
        access=access,
        papers=papers,
        planning=planning,
        trying=Trying(store=parts.store, config=config),
        health_now=health,
        sign_on=_sign_on(settings, parts, secret),
        links=parts.links,
    )
    api = Api(
        store=parts.store,
        now=parts.clock.now,
        access=access,
        papers=papers,
        planning=planning,
        health_now=health,
    )
    return [*pages.routes(), *api.routes()]


def _sign_on(settings: Settings, parts: Parts, secret: Callable[[str], str]) -> "SignOn | None":
    said = settings.service.single_sign_on
    if said is None:
        return None
    from connector.console.sign_on import SignOn  # it takes ten megabytes, and most have no provider

    password = None if said.client_secret is None else secret(said.client_secret)
    return SignOn(said, settings.service.outside or "", password, parts.clock.now)
