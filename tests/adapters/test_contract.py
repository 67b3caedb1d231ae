"""Every adapter holds the contract, against its simulator."""

from collections.abc import Iterator

import pytest

from adapters.contract import Contract, Sandbox
from tests.adapters.freshdesk.world import world as freshdesk
from tests.adapters.sandboxes import FreshdeskSandbox, ServiceNowSandbox, ZendeskSandbox
from tests.adapters.servicenow.world import world as servicenow
from tests.adapters.zendesk.world import world as zendesk


class TestZendesk(Contract):
    @pytest.fixture
    def sandbox(self) -> Iterator[Sandbox]:
        with zendesk() as made:
            yield ZendeskSandbox(made)


class TestFreshdesk(Contract):
    @pytest.fixture
    def sandbox(self) -> Iterator[Sandbox]:
        with freshdesk() as made:
            yield FreshdeskSandbox(made)


class TestServiceNow(Contract):
    @pytest.fixture
    def sandbox(self) -> Iterator[Sandbox]:
        with servicenow() as made:
            yield ServiceNowSandbox(made)
