"""A short storm on each helpdesk; `make storm` is the long one."""

import pytest

from tests.connector.each import EACH
from tests.storm.storm import storm


@pytest.mark.parametrize("vendor", EACH)
def test_the_harm_of_one_odd_thing_ends_with_it(vendor: str) -> None:
    found = storm(vendor, 32, seed=7)
    assert not found, "\n".join(found)
