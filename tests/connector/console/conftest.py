"""A service with a console beside a simulated Zendesk: one ticket at its first level, one that nears it, one held."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from connector.demo import CONFIG
from connector.store.database import Store
from connector.store.users import Role
from tests.connector.each import Each, each

PASSWORD = "correct horse battery"
SECRETS = {"UPTIER_SECRET_ACME_CLIENT": "the secret of this client"}


@dataclass
class Shown:
    """The service, the address of its console, and a way to make users."""

    here: Each
    url: str

    @property
    def store(self) -> Store:
        return self.here.service.parts.store

    def user(self, name: str, role: Role) -> None:
        """Somebody who may log in with `PASSWORD`."""
        self.here.service.make_user(name, role, PASSWORD)

    def client(self, **more: object) -> httpx.Client:
        """A browser without scripts."""
        return httpx.Client(base_url=self.url, **more)  # type: ignore[arg-type]

    @contextmanager
    def logged_in(self, name: str, role: Role) -> Iterator[httpx.Client]:
        """The same after a login."""
        self.user(name, role)
        with self.client() as client:
            answer = client.post("/login", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            yield client


def csrf(client: httpx.Client, path: str = "/tickets/acme/1") -> str:
    """The word in the page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


@contextmanager
def beside(folder: Path, service: str = "", *, after: str = "") -> Iterator[Shown]:
    """The same, with these further lines at the beginning of `[service]`, or at its end, where a table of its own may
    begin."""
    table, rest = CONFIG.split("\n\n", 1)
    with each(
        "zendesk", folder, service=service, config=f"{table}\n{after}\n\n{rest}", secrets=SECRETS
    ) as here:
        here.opened("one")
        here.round()
        here.round(31)
        here.opened("two")
        here.round(1)
        url = here.service._listen()  # its pages, while only the test lets time pass
        yield Shown(here=here, url=url)
        here.service.stop()


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    with beside(tmp_path) as shown:
        yield shown
