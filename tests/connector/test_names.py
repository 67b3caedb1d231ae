"""A level acts only on names that its helpdesk is known to have (rule 12), on each helpdesk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.base import TryLater
from connector.demo import CONFIG
from connector.store import accounts, holds
from tests.connector.each import EACH, Each, each

HEAD = CONFIG[: CONFIG.index("[[policy]]")]
TWO = """
[[policy]]
name = "typo"
clock = "created"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "nowhere"
after = "10m"
owner = "Second lime"
assign = { group = "Second lime" }
note = "handoff"
[[policy.level]]
name = "somewhere"
after = "60m"
owner = "Tier 2"
tags = ["late"]

[[policy]]
name = "plain"
clock = "created"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "tagged"
after = "5m"
tags = ["seen"]
"""


@pytest.fixture(autouse=True)
def said() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def waiting(one: Each) -> list[str]:
    with one.service.parts.store.reading() as connection:
        return [each.kind for each in holds.every_aside(connection)]


@pytest.mark.parametrize("vendor", EACH)
def test_a_level_with_an_unknown_name_waits_and_all_else_works(
    vendor: str, tmp_path: Path, said: list[Any]
) -> None:
    with each(vendor, tmp_path, config=HEAD + TWO) as one:
        one.opened("one")
        first = one.round()
        assert any('no group "Second lime"' in text for text in first.needs_human)
        one.rounds(until=30, every=5)
        assert one.show().tags == {"eu", "seen"}
        assert one.show().notes == 0
        assert waiting(one) == ['level "nowhere" of policy "typo"']
        assert [line["event"] for line in said].count("level_waits") == 1
        one.rounds(until=40, every=10)
        assert "late" in one.show().tags, "a later level overtakes the one that waits"


@pytest.mark.parametrize("vendor", EACH)
def test_nothing_that_names_somebody_happens_before_the_directory_is_read(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path, config=HEAD + TWO.replace("Second lime", "Tier 2")) as one:
        one.opened("one")
        adapter = one.service.parts.desks[one.desk.account].adapter

        def out(*_: Any) -> Any:
            raise TryLater("the directory is out", 600)

        with monkeypatch.context() as patch:
            patch.setattr(adapter, "directory", out)
            one.rounds(until=20, every=5)
            assert one.show().tags == {"eu", "seen"}, (
                "a level that names nobody runs whatever the directory does"
            )
            assert one.show().notes == 0
            assert len([kind for kind in waiting(one) if kind.startswith("level ")]) == 2
        one.rounds(until=6, every=1)
        assert (one.show().group, one.show().notes) == ("Tier 2", 1)
        assert waiting(one) == []


@pytest.mark.parametrize("vendor", EACH)
def test_a_stored_directory_is_good_for_a_day(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path, config=HEAD + TWO.replace("Second lime", "Tier 2")) as one:
        one.round()
        adapter = one.service.parts.desks[one.desk.account].adapter

        def out(*_: Any) -> Any:
            raise TryLater("the directory is out", 600)

        monkeypatch.setattr(adapter, "directory", out)
        one.clock.advance(accounts.FRESH - 40 * 60)
        one.opened("one")
        one.rounds(until=20, every=5)
        assert one.show("one").group == "Tier 2"
        one.clock.advance(3600)
        one.opened("two")
        one.rounds(until=20, every=5)
        assert one.show("two").group != "Tier 2"
        assert "seen" in one.show("two").tags
