"""The acceptance test: the demo's story, asserted on what the simulated helpdesk shows at its end."""

import pytest

from connector import demo
from connector.demo_zendesk import ZendeskDesk


def test_the_story_comes_out_as_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desks: list[ZendeskDesk] = []
    furnish = ZendeskDesk.furnish

    def remembered(self: ZendeskDesk) -> None:
        desks.append(self)
        furnish(self)

    monkeypatch.setattr(ZendeskDesk, "furnish", remembered)
    told: list[str] = []
    assert demo.play(told.append) == 0

    (desk,) = desks
    waits, left, taken = (desk.account.ticket(desk.tickets[word]) for word in ("waits", "left", "taken"))
    assert desk.group("waits") == "Duty managers"
    assert sorted(waits.json["tags"]) == ["escalated", "escalated-managers", "eu"]
    assert [comment["public"] for comment in waits.comments] == [True, False, False, True]
    assert "Second line" in waits.comments[1]["body"]
    assert "Duty managers" in waits.comments[2]["body"]
    assert left.json["tags"] == ["no-escalation"]
    assert len(left.comments) == 1
    assert desk.assignee("taken") == "Ann"
    assert taken.json["tags"] == ["eu"]
    assert len(taken.comments) == 1
    puts = [logged for logged in desk.account.log if logged.method == "PUT"]
    assert [logged.status for logged in puts].count(200) == 2
    assert [logged.status for logged in puts].count(409) == 1

    printed = capsys.readouterr().out
    assert "stop_on agent_reply" in printed
    assert "excluded: tags has no-escalation" in printed
