"""The contract on a live trial account. Off unless the environment names a ticket that may be played with:

UPTIER_SANDBOX_TICKET=acme/4711 UPTIER_CONFIG=uptier.toml pytest tests/adapters/test_live.py
"""

import os
import time
from pathlib import Path

import pytest

from adapters.base import Adapter
from adapters.contract.ticket import OnAnyTicket
from connector.app.compose import open_desk
from connector.clock import SystemClock
from connector.config.secrets import Secrets
from connector.config.settings import load
from connector.logs import Masker
from policies.model import Instant, TicketRef

ENVIRONMENT = dict(os.environ)
TICKET = ENVIRONMENT.get("UPTIER_SANDBOX_TICKET", "")
SETTLING = 70
"""Real seconds: longer than any helpdesk's feed or stamps take."""


class Live:
    """An account of the config file and its one ticket."""

    adapter: Adapter
    ref: TicketRef

    def __init__(self) -> None:
        self.ref = TicketRef.parse(TICKET)
        loaded = load(Path(ENVIRONMENT.get("UPTIER_CONFIG", "uptier.toml")))
        assert loaded.settings is not None, loaded.problems
        secrets = Secrets(Masker(), ENVIRONMENT)
        self.adapter = open_desk(self.ref.account, loaded.settings, SystemClock(), secrets).adapter

    def settle(self) -> None:
        time.sleep(SETTLING)

    def now(self) -> Instant:
        return int(time.time())


@pytest.mark.skipif(not TICKET, reason="no live ticket named in UPTIER_SANDBOX_TICKET")
@pytest.mark.timeout(1200)
class TestLive(OnAnyTicket):
    @pytest.fixture
    def sandbox(self) -> Live:
        return Live()
