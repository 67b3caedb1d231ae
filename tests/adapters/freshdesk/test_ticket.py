"""Ticket rows in Freshdesk's numbers, as tickets in our words. Every number is something."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import language_of
from adapters.freshdesk.form import Form
from adapters.freshdesk.people import References, Requester, company
from adapters.freshdesk.ticket import Odd, instant, read_ticket, revision, updated_in
from policies.model import Directory, Group, Metric, Person, Priority, Stage, Status, Target
from tests.adapters.freshdesk.world import account

ROW: dict[str, Any] = {
    "id": 4711,
    "subject": "Printer",
    "status": 2,
    "priority": 1,
    "created_at": "2026-11-25T10:00:00Z",
    "updated_at": "2026-11-25T11:00:00Z",
    "requester_id": 1060000000041,
}
OWN = Form(statuses={2: "Offen", 8: "In the lab", 6: "Parked"}, sources={101: "Kiosk"})
TOWN = Directory(account="acme", groups=(Group(id="11", name="Tier 1"),))
CREATED, UPDATED = 1795600800, 1795604400


def made(
    row: dict[str, Any] | None = None, *, form: Form | None = None, read_at: int = 5, **more: Any
) -> Any:
    references = References(account=account(), form=form or Form(), directory=TOWN, **more)
    return read_ticket(ROW | (row or {}), references, read_at=read_at)


def test_a_row_with_nothing_in_it_is_a_ticket_with_nothing_known() -> None:
    bare = read_ticket(
        {"id": 1, "updated_at": "2026-11-25T11:00:00Z"}, References(account=account()), read_at=0
    )
    assert (bare.priority, bare.type, bare.channel, bare.group, bare.assignee) == (None,) * 5
    assert (bare.requester, bare.organization, bare.language, bare.tags) == (None, None, None, frozenset())
    assert (bare.status, bare.status_name, bare.subject, bare.description) == (Status.OPEN, "", "", "")
    assert (bare.created, bare.updated, bare.targets, bare.custom) == (UPDATED, UPDATED, (), {})
    assert bare.hidden >= {
        "status",
        "priority",
        "type",
        "channel",
        "group",
        "assignee",
        "tags",
        "subject",
        "created",
    }
    assert bare.hidden >= {
        "requester",
        "organization",
        "targets",
        "description",
        "custom.product",
        "custom.seats",
    }


@pytest.mark.parametrize(
    "row", [{}, {"updated_at": None}, {"updated_at": "1970-01-01T00:00:00Z"}, {"updated_at": 5}]
)
def test_a_row_without_the_time_of_its_last_update_is_no_ticket(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="updated_at"):
        read_ticket({"id": 1} | row, References(account=account()), read_at=0)


def test_the_accounts_lists_make_a_vip() -> None:
    asked = Requester(person=Person(id="1060000000041", name="Cleo", address="cleo@initech.test"))
    for lists in ({"vip_addresses": {"@initech.test"}}, {"vip_organizations": {"Initech"}}, {}):
        references = References(account=account(**lists), requester=asked)
        found = read_ticket(
            ROW | {"company": {"id": 1, "name": "Initech"}, "company_id": 1}, references, read_at=5
        )
        assert found.requester is not None
        assert found.requester.vip is bool(lists)


def test_nulls_are_empty() -> None:
    names = (
        "subject", "type", "company_id", "responder_id", "group_id", "tags", "custom_fields", "source", "stats",
        "status", "priority", "requester_id", "description_text", "company", "fr_due_by", "nr_due_by", "due_by",
    )  # fmt: skip
    bare = made(dict.fromkeys(names))
    assert (bare.subject, bare.tags, bare.custom, bare.status, bare.priority) == (
        "",
        frozenset(),
        {},
        Status.OPEN,
        None,
    )
    assert {each.stage for each in bare.targets} == {Stage.UNKNOWN}
    assert not bare.hidden & {
        "priority",
        "type",
        "channel",
        "group",
        "assignee",
        "tags",
        "subject",
        "organization",
    }
    assert "status" in bare.hidden, "every ticket has one"


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        (2, Status.OPEN, "Open"),
        (3, Status.PENDING, "Pending"),
        (4, Status.SOLVED, "Resolved"),
        (5, Status.CLOSED, "Closed"),
        (6, Status.PENDING, "Waiting on Customer"),
        (7, Status.ON_HOLD, "Waiting on Third Party"),
        (8, Status.OPEN, "status_8"),
        (1, Status.OPEN, "status_1"),
        (None, Status.OPEN, ""),
    ],
)
def test_every_status_is_one(code: Any, status: Status, name: str) -> None:
    found = made({"status": code})
    assert (found.status, found.status_name) == (status, name)


def test_statuses_go_by_the_accounts_names() -> None:
    assert [
        (made({"status": n}, form=OWN).status, made({"status": n}, form=OWN).status_name)
        for n in (2, 8, 6, 7)
    ] == [
        (Status.OPEN, "Offen"),
        (Status.OPEN, "In the lab"),
        (Status.PENDING, "Parked"),
        (Status.ON_HOLD, "Waiting on Third Party"),
    ]


@pytest.mark.parametrize(
    ("code", "priority"),
    [
        (1, Priority.LOW),
        (2, Priority.NORMAL),
        (3, Priority.HIGH),
        (4, Priority.URGENT),
        (0, None),
        (5, None),
    ],
)
def test_every_priority_is_one_or_none(code: Any, priority: Priority | None) -> None:
    assert made({"priority": code}).priority is priority
    assert ("priority" in made({"priority": code}).hidden) is (priority is None)


@pytest.mark.parametrize(
    ("code", "channel"),
    [
        (1, "email"),
        (2, "portal"),
        (10, "outbound_email"),
        (15, "source_15"),
        (101, "Kiosk"),
        (None, None),
    ],
)
def test_every_source_is_a_channel(code: Any, channel: str | None) -> None:
    assert made({"source": code}, form=OWN).channel == channel


@given(
    st.dictionaries(
        st.sampled_from(["status", "priority", "source", "group_id", "responder_id", "company_id", "type"]),
        st.one_of(st.none(), st.integers(-5, 200), st.text(max_size=3), st.booleans()),
    )
)
def test_a_number_or_word_is_a_ticket_or_an_odd_row(row: dict[str, Any]) -> None:
    with contextlib.suppress(Odd):
        assert made(row).status in Status


def test_stamps_and_names_come_over() -> None:
    cleo = Person(id="1060000000041", name="Cleo", address="cleo@initech.test")
    whole = made(
        {"type": "Incident", "group_id": 11, "company": {"id": 31, "name": "Initech"}, "company_id": 31},
        requester=Requester(person=cleo, language="pt"),
    )
    assert (whole.created, whole.updated, whole.read_at) == (CREATED, UPDATED, 5)
    assert whole.link == "https://acme.freshdesk.test/a/tickets/4711"
    assert (whole.type, whole.group.name, whole.requester, whole.organization, whole.language) == (
        "Incident",
        "Tier 1",
        cleo,
        "Initech",
        "pt",
    )
    assert not whole.hidden & {"requester", "group", "organization", "language", "type"}


def test_who_is_known_by_id_only_is_hidden_unless_nobody_bears_it() -> None:
    known = Requester(person=None)
    assert "requester.vip" in made().hidden
    assert "group" in made({"group_id": 12}, requester=known).hidden
    assert "assignee" in made({"responder_id": 21}, requester=known).hidden
    assert made({"group_id": 12}).group == Group(id="12", name="12")
    nobody = frozenset({"groups/12", "agents/21"})
    assert not made({"group_id": 12, "responder_id": 21}, nobody=nobody).hidden & {"group", "assignee"}


def test_only_mapped_custom_fields_that_hold_something() -> None:
    held = {"cf_product": "X100", "cf_seats": 0, "cf_other": "x"}
    assert made({"custom_fields": held}).custom == {"product": "X100", "seats": 0}
    assert made({"custom_fields": {"cf_product": "", "cf_seats": None}}).custom == {}
    assert made({"custom_fields": {"cf_product": ["a", "b"], "cf_seats": True}}).custom == {
        "product": ("a", "b"),
        "seats": True,
    }
    odd = made({"custom_fields": {"cf_product": {"a": 1}, "cf_other": "x"}})
    assert odd.custom == {}
    assert odd.hidden >= {"custom.product", "custom.seats"}
    assert "custom.product" not in made({"custom_fields": {"cf_product": None}}).hidden


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-25T10:00:00Z", CREATED),
        ("2026-11-25T15:30:00+05:30", CREATED),
        ("2026-11-25T10:00:00.999Z", CREATED),
        ("2026-11-25T10:00:00", CREATED),
        ("soon", None),
        ("", None),
        (None, None),
        (5, None),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_stamps(text: Any, at: int | None) -> None:
    assert instant(text) == at


def test_a_revision_names_its_second_and_what_it_holds() -> None:
    first = revision(ROW)
    assert updated_in(first) == UPDATED
    assert updated_in("x") == updated_in("") == 0
    same = [
        {"due_by": "2026-11-25T12:00:00Z"},
        {"tags": []},
        {"subject": "Other"},
        {"custom_fields": {"cf_x": None}},
    ]
    other: list[dict[str, Any]] = [
        {"status": 3}, {"priority": 2}, {"group_id": 11}, {"responder_id": 1}, {"tags": ["x"]},
        {"custom_fields": {"cf_x": 1}}, {"stats": {"requester_responded_at": "2026-11-25T11:00:00Z"}},
        {"updated_at": "2026-11-25T11:00:01Z"},
    ]  # fmt: skip
    assert {revision(ROW | each) for each in same} == {first}
    assert len({revision(ROW | each) for each in other} | {first}) == len(other) + 1
    assert revision({"id": 1, "tags": ["b", "a"]}) == revision({"id": 1, "tags": ["a", "b"]})


DUE = {
    "due_by": "2026-11-25T14:00:00Z",
    "fr_due_by": "2026-11-25T12:00:00Z",
    "nr_due_by": "2026-11-25T13:00:00Z",
}


NEVER = dict.fromkeys(("first_responded_at", "agent_responded_at", "requester_responded_at"))


def stages(row: dict[str, Any], read_at: int = UPDATED + 60, form: Form | None = None) -> dict[Metric, Stage]:
    row = row | {"stats": NEVER | row.get("stats", {})}
    return {each.metric: each.stage for each in made(DUE | row, read_at=read_at, form=form).targets}


@pytest.mark.parametrize("stats", [None, {}, {"first_responded_at": "soon", "agent_responded_at": 5}])
def test_whether_somebody_answered_is_unknown_where_the_row_does_not_tell(stats: Any) -> None:
    found = made(DUE | {"stats": stats}, read_at=UPDATED + 60).targets
    assert {each.metric: each.stage for each in found} == {
        Metric.FIRST_REPLY: Stage.UNKNOWN,
        Metric.NEXT_REPLY: Stage.UNKNOWN,
        Metric.RESOLUTION: Stage.ACTIVE,
    }


def test_a_status_with_its_timer_on_does_not_rest_and_one_with_it_off_does() -> None:
    timed = Form(timers={2: True, 3: False})
    assert stages({"status": 2}, form=timed)[Metric.RESOLUTION] is Stage.PAUSED
    assert stages({"status": 3}, form=timed)[Metric.RESOLUTION] is Stage.ACTIVE


def test_what_an_agent_began_owes_a_first_reply_once_the_customer_has_written() -> None:
    assert Metric.FIRST_REPLY not in stages({"source": 10})
    asked = {"source": 10, "stats": {"requester_responded_at": "2026-11-25T10:30:00Z"}}
    (first, *_) = made(DUE | asked | {"stats": NEVER | asked["stats"]}, read_at=UPDATED + 60).targets  # type: ignore[dict-item]
    assert (first.metric, first.stage, first.due) == (Metric.FIRST_REPLY, Stage.ACTIVE, CREATED + 1800 + 7200)


@pytest.mark.parametrize(
    ("row", "first", "following", "resolution"),
    [
        ({}, Stage.ACTIVE, Stage.ACTIVE, Stage.ACTIVE),
        ({"status": 3}, Stage.PAUSED, Stage.PAUSED, Stage.PAUSED),
        ({"status": 7}, Stage.PAUSED, Stage.PAUSED, Stage.PAUSED),
        ({"status": 8}, Stage.UNKNOWN, Stage.UNKNOWN, Stage.UNKNOWN),
        ({"status": 4}, Stage.ACHIEVED, Stage.ACHIEVED, Stage.ACHIEVED),
        ({"status": 5}, Stage.ACHIEVED, Stage.ACHIEVED, Stage.ACHIEVED),
        (
            {
                "stats": {
                    "first_responded_at": "2026-11-25T11:00:00Z",
                    "agent_responded_at": "2026-11-25T11:00:00Z",
                }
            },
            Stage.ACHIEVED,
            Stage.ACHIEVED,
            Stage.ACTIVE,
        ),
        (
            {
                "stats": {
                    "agent_responded_at": "2026-11-25T10:30:00Z",
                    "requester_responded_at": "2026-11-25T11:00:00Z",
                }
            },
            Stage.ACTIVE,
            Stage.ACTIVE,
            Stage.ACTIVE,
        ),
        ({"due_by": None, "fr_due_by": None}, Stage.UNKNOWN, Stage.ACTIVE, Stage.UNKNOWN),
    ],
)
def test_where_deadlines_stand(
    row: dict[str, Any], first: Stage, following: Stage, resolution: Stage
) -> None:
    assert stages(row) == {
        Metric.FIRST_REPLY: first,
        Metric.NEXT_REPLY: following,
        Metric.RESOLUTION: resolution,
    }


@pytest.mark.parametrize(("after", "stage"), [(0, Stage.UNKNOWN), (9, Stage.UNKNOWN), (10, Stage.ACTIVE)])
def test_right_after_an_update_a_deadline_may_be_the_old_one(after: int, stage: Stage) -> None:
    assert stages({}, read_at=UPDATED + after)[Metric.RESOLUTION] is stage


def test_without_a_time_of_reading_the_deadline_is_taken_as_it_is() -> None:
    assert stages({}, read_at=0)[Metric.RESOLUTION] is Stage.ACTIVE


def test_a_deadline_has_no_start_and_a_missing_one_is_none() -> None:
    (only,) = made({"due_by": "2026-11-25T14:00:00Z"}, read_at=UPDATED + 60).targets
    assert only == Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=CREATED + 4 * 3600, start=None)
    assert made().targets == ()


def test_languages_and_companies() -> None:
    assert [language_of(each) for each in ("pt-BR", "de", "", None, 5)] == ["pt", "de", None, None, None]
    embedded = {"company": {"id": 31, "name": "Initech"}}
    assert [company(each, embedded) for each in (31, 32, None)] == ["Initech", "32", None]
    assert company(31, {"company": {}}) == "31"
