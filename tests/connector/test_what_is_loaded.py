"""What a command, and a service at rest, have in memory: heavy parts are loaded by whoever needs them."""

import subprocess
import sys

HEAVY = frozenset(
    {"alembic", "apprise", "authlib", "holidays", "httpx", "jinja2", "joserfc", "procrastinate"}
)
HEAVY |= frozenset(
    {"psycopg", "pydantic", "requests", "sqlalchemy", "starlette", "structlog", "uvicorn", "zenpy"}
)
HELP = "from connector.cli import app; app(['--help'], standalone_mode=False)"
SERVICE = "import connector.app.service, connector.console.compose"


def loaded(lines: str) -> set[str]:
    """The packages that are loaded once these lines have run in a process of their own."""
    told = "; import sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", lines + told], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_help_loads_nothing_heavy() -> None:
    assert loaded(HELP) & (HEAVY | {"policies", "rich"}) == set()


def test_a_service_on_sqlite_without_a_provider_loads_no_more_than_it_uses() -> None:
    found = loaded(SERVICE)
    assert {"sqlalchemy", "starlette"} <= found
    assert (
        found & {"alembic", "apprise", "authlib", "holidays", "joserfc", "procrastinate", "psycopg", "zenpy"}
        == set()
    )
