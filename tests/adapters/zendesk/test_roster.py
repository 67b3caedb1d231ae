"""Who is staff, asked for as seldom as possible."""

from adapters.zendesk.roster import Roster


def test_the_staff_list_is_read_again_for_a_new_face_only() -> None:
    asked: list[int] = []
    staff = {"21": {"role": "agent"}}

    def read() -> dict[str, dict[str, str]]:
        asked.append(1)
        return dict(staff)

    roster = Roster(me=lambda: {"id": 9}, staff=read)
    assert roster.is_staff("21")
    assert roster.is_staff("21")
    assert len(asked) == 1
    assert not roster.is_staff("41")
    assert not roster.is_staff("41")
    assert len(asked) == 2
    staff["22"] = {"role": "agent"}
    assert roster.is_staff("22")
    assert len(asked) == 3


def test_the_bot_is_asked_for_once() -> None:
    asked: list[int] = []

    def me() -> dict[str, int]:
        asked.append(1)
        return {"id": 9}

    roster = Roster(me=me, staff=dict)
    assert (roster.bot(), roster.bot(), len(asked)) == ("9", "9", 1)
