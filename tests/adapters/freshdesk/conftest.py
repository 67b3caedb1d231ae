"""A fresh simulated account, and the adapter on it, for each test that asks."""

from collections.abc import Iterator

import pytest

from tests.adapters.freshdesk.world import World, world


@pytest.fixture
def acme() -> Iterator[World]:
    """The account as it comes out of the box."""
    with world() as made:
        yield made
