"""Tags where ServiceNow has no good place for them: a shared column, a column of our own, labels."""

from typing import Any

import pytest

from adapters.base import Note, OutcomeUnknown, Stale, WontAccept
from adapters.servicenow.profile import profile
from adapters.servicenow.ticket import are_foreign, read_tags, spell_tags, tags_fit
from policies.model import Need
from policies.plan import ChangeTags
from tests.adapters.servicenow.world import World, account, world

NOTE = Note(public=False, body="x")
LATE = ChangeTags(add=frozenset({"late"}))
SHARED = profile(account())
OWN = profile(account(settings={"tags": "u_tags"}))
LABELS = {"settings": {"tags": "label_entry"}}


def send(acme: World, *actions: Any) -> Any:
    receipt = None
    for write in acme.writes(*actions):
        receipt = acme.adapter.send(write, receipt.revision if receipt else write.expects)
    return receipt


@pytest.mark.parametrize("tags", [[], ["a"], ["two words", "b"], ["x"] * 1])
@pytest.mark.parametrize("kind", [SHARED, OWN])
def test_tags_come_back_as_they_went(kind: Any, tags: list[str]) -> None:
    assert read_tags(kind, spell_tags(kind, tags)) == sorted(tags)


def test_what_others_keep_in_the_shared_column_is_not_ours() -> None:
    assert are_foreign(SHARED, "JIRA-1,2")
    assert read_tags(SHARED, "JIRA-1,2") == []
    assert not are_foreign(SHARED, "")
    assert not are_foreign(SHARED, "uptier: a")
    assert not are_foreign(OWN, "JIRA-1,2")


def test_a_hundred_characters_are_all() -> None:
    assert tags_fit(SHARED, ["x" * 92])
    assert not tags_fit(SHARED, ["x" * 93])
    assert tags_fit(OWN, ["x" * 93])


def test_the_shared_column_is_ours_where_it_is_empty(acme: World) -> None:
    send(acme, LATE)
    assert acme.row["correlation_display"] == "uptier: late"
    assert acme.load().tags == {"late"}
    send(acme, ChangeTags(add=frozenset({"vip"}), remove=frozenset({"late"})))
    assert acme.row["correlation_display"] == "uptier: vip"
    send(acme, ChangeTags(remove=frozenset({"vip"})))
    assert acme.row["correlation_display"] == ""


def test_the_shared_column_of_another_integration_is_left_alone(acme: World) -> None:
    acme.desk.touch_quietly(acme.printer.id, correlation_display="JIRA")
    with pytest.raises(WontAccept, match="another integration uses"):
        send(acme, LATE)
    receipt = send(acme, LATE, NOTE)
    (missing,) = receipt.not_taken
    assert (missing.field, missing.wanted, missing.found) == ("tags", ("late",), ())
    assert "another integration uses" in missing.why
    assert acme.row["correlation_display"] == "JIRA"


def test_tags_that_a_moment_ago_still_fitted_are_told(acme: World) -> None:
    write = acme.one(LATE, NOTE)
    acme.desk.touch_quietly(acme.printer.id, correlation_display="uptier: " + "x" * 90)
    receipt = acme.adapter.send(write, write.expects)
    assert [each.field for each in receipt.not_taken] == ["tags"]
    assert "holds 100 characters" in receipt.not_taken[0].why


def test_a_column_of_our_own_has_no_such_limits() -> None:
    with world(settings={"settings": {"tags": "u_tags"}}) as acme:
        send(acme, ChangeTags(add=frozenset({"y" * 90, "z" * 90})))
        assert acme.load().tags == {"y" * 90, "z" * 90}


def test_a_column_that_is_not_there_is_said() -> None:
    none = {"settings": {"tags": "u_none"}}
    with world(settings=none) as acme:
        prepared = acme.adapter.prepare(acme.load(), (LATE,), "k")
        assert prepared.writes == ()
        assert prepared.gaps == ("tags cannot be changed: incident.u_none is hidden from Uptier's user",)


def test_a_column_that_is_hidden_by_the_time_of_the_write_is_refused() -> None:
    with world(settings={"settings": {"tags": "u_tags"}}) as acme:
        write = acme.one(LATE)
        acme.desk.hide_column("incident", "u_tags")
        with pytest.raises(WontAccept, match="u_tags is hidden or not there"):
            acme.adapter.send(write, write.expects)


def test_changes_of_tags_are_history(acme: World) -> None:
    send(acme, LATE)
    (change,) = acme.load(Need.CHANGES).changes
    assert (change.field, change.before, change.after) == ("tags", (), ("late",))


def test_labels_are_made_tied_and_untied() -> None:
    with world(settings=LABELS, labels="open") as acme:
        receipt = send(acme, NOTE, LATE)
        assert receipt.changed == (("tags", (), ("late",)),)
        assert acme.load().tags == {"late"}
        (label,) = acme.desk.tables["label"].values()
        assert (label["name"], label["viewable_by"]) == ("late", "everyone")
        send(acme, ChangeTags(add=frozenset({"big one"}), remove=frozenset({"late"})))
        assert acme.load().tags == {"big one"}
        send(acme, LATE)
        assert len(acme.desk.tables["label"]) == 2


def test_labels_that_are_refused_are_refused() -> None:
    with world(settings=LABELS) as acme, pytest.raises(WontAccept, match="security constraints"):
        send(acme, LATE)


def test_a_label_that_is_tied_to_nothing_is_taken_away() -> None:
    with world(settings=LABELS, labels="blank") as acme:
        with pytest.raises(WontAccept, match="Keep the tags in a column"):
            send(acme, LATE)
        assert acme.desk.tables["label_entry"] == {}


def test_two_labels_of_one_name_are_a_question_for_a_human() -> None:
    with world(settings=LABELS, labels="open") as acme:
        for _ in range(2):
            acme.desk.put("label", {"name": "late", "type": "standard"})
        with pytest.raises(WontAccept, match="2 tags named 'late'"):
            send(acme, LATE)


@pytest.mark.parametrize("applied", [True, False])
def test_a_label_whose_answer_is_lost_is_looked_for(applied: bool) -> None:
    with world(settings=LABELS, labels="open") as acme:
        write = acme.one(LATE)
        acme.fault("drop", method="POST", path="*label_entry*", applied=applied)
        with pytest.raises(OutcomeUnknown):
            acme.adapter.send(write, write.expects)
        assert (acme.adapter.find_written(write) is not None) is applied


def test_a_label_is_not_tied_to_a_ticket_that_changed() -> None:
    with world(settings=LABELS, labels="open") as acme:
        write = acme.one(LATE)
        acme.desk.customer_says(acme.printer.id, "Hello?")
        with pytest.raises(Stale):
            acme.adapter.send(write, write.expects)


@pytest.mark.parametrize("answer", [{"result": []}, {"result": {}}])
@pytest.mark.parametrize("table", ["label", "label_entry"])
def test_an_answer_without_a_record_leaves_the_fate_open(table: str, answer: Any) -> None:
    with world(settings=LABELS, labels="open") as acme:
        write = acme.one(LATE)
        acme.fault("answer", method="POST", path=f"*/{table}", status=201, body=answer)
        with pytest.raises(OutcomeUnknown):
            acme.adapter.send(write, write.expects)
