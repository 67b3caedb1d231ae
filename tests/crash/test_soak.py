"""A short soak: all helpdesks, faults, humans, webhooks and a few kills. The long one: tests/crash/soak.py."""

from pathlib import Path

import pytest

from tests.crash.soak import soak


@pytest.mark.timeout(240)
def test_nothing_is_lost_nothing_twice_no_human_overwritten(tmp_path: Path) -> None:
    verdict = soak(tmp_path, kills=2, seed=3)
    assert verdict.well(), verdict
    assert verdict.writes
