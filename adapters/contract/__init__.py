"""What every adapter has to hold, as tests that its author runs: once, for all helpdesks.

Needs pytest. In a test module of your own:

    class TestMine(Contract):
        @pytest.fixture
        def sandbox(self) -> Iterator[Sandbox]: ...

and in its conftest.py `pytest.register_assert_rewrite("adapters.contract")`.
"""

from adapters.contract.sandbox import Sandbox
from adapters.contract.suite import Hooks, Reading, Trouble, Writing
from adapters.contract.ticket import OnAnyTicket

__all__ = ["Contract", "Sandbox"]


class Contract(OnAnyTicket, Reading, Writing, Trouble, Hooks):
    """All of it, on a simulated helpdesk that obeys."""
