"""A fresh simulated instance, and the adapter on it, for each test that asks."""

from collections.abc import Iterator

import pytest

from tests.adapters.servicenow.world import World, world


@pytest.fixture
def acme() -> Iterator[World]:
    """The instance as it comes out of the box."""
    with world() as made:
        yield made
