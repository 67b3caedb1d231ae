"""Odd, broken or unknowable answers of Zendesk, each told as one change of one honest answer."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = dict[str, Any]
Row = dict[str, Any]
Mutation = Callable[[str, str, str, Answer], Answer | None]

HTML = "<!DOCTYPE html><html><head><title>Zendesk</title></head><body><h1>Sorry</h1></body></html>"


def _good(answer: Answer) -> bool:
    """Whether the honest answer was a success."""
    return 200 <= int(answer["status"]) < 300


def _body(answer: Answer) -> Row:
    """The decoded body where it is a table of a success, else an empty table."""
    body = answer["json"]
    return body if _good(answer) and isinstance(body, dict) else {}


def _named(path: str, ticket: str) -> bool:
    """Whether the path names this one ticket."""
    return re.search(rf"/tickets/{re.escape(ticket)}(?:\.json)?(?=[/?]|$)", path) is not None


def _itself(path: str, ticket: str) -> bool:
    """Whether the path is the ticket itself and not something below it."""
    return re.search(rf"/tickets/{re.escape(ticket)}(?:\.json)?(?:\?.*)?$", path) is not None


def _alone(path: str) -> bool:
    """Whether the path names any one ticket."""
    return re.search(r"/tickets/\d+(?:\.json)?(?=[/?]|$)", path) is not None


def _is(row: object, ticket: str) -> bool:
    """Whether this is the row of the ticket."""
    if not isinstance(row, dict) or str(row.get("id")) != ticket:
        return False
    return str(row.get("result_type", "ticket")) == "ticket"


def _lists(answer: Answer) -> list[list[Any]]:
    """The lists of tickets in a body."""
    body = _body(answer)
    return [body[key] for key in ("tickets", "results") if isinstance(body.get(key), list)]


def _rows(answer: Answer, ticket: str) -> list[Row]:
    """All rows of the ticket in a body."""
    found = [row for rows in _lists(answer) for row in rows if _is(row, ticket)]
    single = _body(answer).get("ticket")
    if isinstance(single, dict) and _is(single, ticket):
        found.append(single)
    return found


def _each(rows: list[Row], answer: Answer, change: Callable[[Row], bool]) -> Answer | None:
    """Change every row given; None if no row let itself be changed."""
    done = [change(row) for row in rows]
    return answer if any(done) else None


def _set(field: str, value: object) -> Callable[[Row], bool]:
    """A change that puts a value where the field is."""

    def change(row: Row) -> bool:
        """Put the value."""
        if field not in row:
            return False
        row[field] = deepcopy(value)
        return True

    return change


def _drop(*fields: str) -> Callable[[Row], bool]:
    """A change that takes fields away."""

    def change(row: Row) -> bool:
        """Take them away."""
        found = [row.pop(field, ...) is not ... for field in fields]
        return any(found)

    return change


def _turn(field: str, how: Callable[[Any], Any]) -> Callable[[Row], bool]:
    """A change that turns a value that is there and not null into another."""

    def change(row: Row) -> bool:
        """Turn it."""
        if row.get(field) is None:
            return False
        row[field] = how(row[field])
        return True

    return change


def _raw(answer: Answer, text: str, kind: str | None = None, status: int | None = None) -> Answer:
    """The answer with a raw body."""
    answer["json"], answer["text"] = None, text
    if kind is not None:
        answer["headers"]["content-type"] = kind
    if status is not None:
        answer["status"] = status
    return answer


def _spliced(answer: Answer, mark: str, text: str) -> Answer:
    """The body as raw text in which a quoted mark became other text."""
    return _raw(answer, json.dumps(answer["json"]).replace(json.dumps(mark), text))


def _history(path: str, ticket: str, answer: Answer, *names: str) -> list[Any]:
    """The list of comments or audits of the ticket, or an empty one."""
    if not _named(path, ticket):
        return []
    for name in names:
        rows = _body(answer).get(name)
        if isinstance(rows, list):
            return rows
    return []


def _tables(rows: list[Any]) -> list[Row]:
    """Only the rows that are tables."""
    return [row for row in rows if isinstance(row, dict)]


# ------------------------------------------------------------------------------------------ rows


def row_id_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The id is text."""
    return _each(_rows(answer, ticket), answer, _turn("id", str))


def row_id_float(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The id is a number with a fraction of nought."""
    return _each(_rows(answer, ticket), answer, _turn("id", float))


def row_id_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The id is missing while the url still names the ticket."""
    return _each([r for r in _rows(answer, ticket) if r.get("url")], answer, _drop("id"))


def row_bare_id(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row is the bare id and no table."""
    done = False
    for rows in _lists(answer):
        for place, row in enumerate(rows):
            if _is(row, ticket):
                rows[place], done = row["id"], True
    return answer if done else None


def row_twice_stripped(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row comes a second time with nothing but its id and url."""
    done = False
    for rows in _lists(answer):
        for row in [row for row in rows if _is(row, ticket)]:
            rows.append({"id": row["id"], "url": row.get("url")})
            done = True
    return answer if done else None


def row_twice_older(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """In lists the row comes a second time with an older stamp and the status new."""
    done = False
    for rows in _lists(answer):
        for row in [row for row in rows if _is(row, ticket)]:
            old = deepcopy(row)
            old["updated_at"], old["status"] = row.get("created_at"), "new"
            rows.append(old)
            done = True
    return answer if done else None


def row_status_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is null."""
    return _each(_rows(answer, ticket), answer, _set("status", None))


def row_status_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is missing while custom_status_id stays."""
    return _each(_rows(answer, ticket), answer, _drop("status"))


def row_status_upper(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is in upper case as in events."""
    return _each(_rows(answer, ticket), answer, _turn("status", lambda v: str(v).upper()))


def row_status_unknown(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is a word nobody knows."""
    return _each(_rows(answer, ticket), answer, _set("status", "in_bearbeitung"))


def row_status_table(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The status is a table with a label in it."""
    return _each(_rows(answer, ticket), answer, _turn("status", lambda v: {"label": v}))


def row_stamp_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Updated_at is null."""
    return _each(_rows(answer, ticket), answer, _set("updated_at", None))


def row_stamp_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Updated_at and created_at are missing."""
    return _each(_rows(answer, ticket), answer, _drop("updated_at", "created_at"))


def row_stamp_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Updated_at is a number of seconds, beyond every calendar."""
    return _each(_rows(answer, ticket), answer, _set("updated_at", 10**18))


def row_stamp_zero(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Created_at is the impossible day nought."""
    return _each(_rows(answer, ticket), answer, _set("created_at", "0000-00-00T00:00:00Z"))


def row_stamp_naive(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Both stamps have lost their Z and carry nanoseconds."""

    def naive(value: Any) -> Any:
        """Without the zone, with a long fraction."""
        return str(value).removesuffix("Z") + ".000000000"

    both = [_each(_rows(answer, ticket), answer, _turn(f, naive)) for f in ("created_at", "updated_at")]
    return answer if any(part is not None for part in both) else None


def row_stamp_edge(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Created_at is the last second of the calendar, in a zone that pushes it over the end."""
    return _each(_rows(answer, ticket), answer, _set("created_at", "9999-12-31T23:59:59-12:00"))


def row_generated_zero(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Generated_timestamp is 0 as in the recorded create reply."""
    return _each(_rows(answer, ticket), answer, _set("generated_timestamp", 0))


def row_generated_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Generated_timestamp is text that is no number."""
    return _each(_rows(answer, ticket), answer, _set("generated_timestamp", "n/a"))


def row_tags_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The tags are one text with blanks between."""
    return _each(
        [row for row in _rows(answer, ticket) if isinstance(row.get("tags"), list)],
        answer,
        _turn("tags", lambda tags: " ".join(str(tag) for tag in tags)),
    )


def row_tags_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The tags are null."""
    return _each(_rows(answer, ticket), answer, _set("tags", None))


def row_tags_mixed(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Among the tags stand null, a number and a table."""
    return _each(
        [row for row in _rows(answer, ticket) if isinstance(row.get("tags"), list)],
        answer,
        _turn("tags", lambda tags: [None, *tags, 7, {"name": "vip"}]),
    )


def row_custom_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Custom_fields is null and the twin key fields is missing."""

    def change(row: Row) -> bool:
        """Null the one, drop the other."""
        row.pop("fields", None)
        return _set("custom_fields", None)(row)

    return _each(_rows(answer, ticket), answer, change)


def row_custom_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Among the custom fields stand null, one without id and one whose id is text."""
    odd = [None, {"value": "x"}, {"id": "360001", "value": {"a": [1]}}, {"id": None, "value": None}]
    return _each(
        [row for row in _rows(answer, ticket) if isinstance(row.get("custom_fields"), list)],
        answer,
        _turn("custom_fields", lambda fields: [*odd, *fields]),
    )


def row_custom_table(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Custom_fields is a table from id to value."""

    def table(fields: Any) -> Any:
        """The list as a table."""
        return {str(field.get("id")): field.get("value") for field in fields if isinstance(field, dict)}

    return _each(
        [row for row in _rows(answer, ticket) if isinstance(row.get("custom_fields"), list)],
        answer,
        _turn("custom_fields", table),
    )


def row_priority_table(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The priority is a table."""
    return _each(_rows(answer, ticket), answer, _turn("priority", lambda v: {"id": 1, "name": v}))


def row_priority_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The priority is a number."""
    return _each(_rows(answer, ticket), answer, _set("priority", 3))


def row_priority_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The priority is missing, which is not the same as null."""
    return _each(_rows(answer, ticket), answer, _drop("priority"))


def row_people_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The ids of assignee, group and requester are text."""
    names = ("assignee_id", "group_id", "requester_id", "organization_id")
    parts = [_each(_rows(answer, ticket), answer, _turn(name, str)) for name in names]
    return answer if any(part is not None for part in parts) else None


def row_people_tables(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Assignee and group are tables with the id in them."""
    names = ("assignee_id", "group_id")
    parts = [_each(_rows(answer, ticket), answer, _turn(name, lambda v: {"id": v})) for name in names]
    return answer if any(part is not None for part in parts) else None


def row_people_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Assignee_id and group_id are missing, which is not the same as null."""
    return _each(_rows(answer, ticket), answer, _drop("assignee_id", "group_id"))


def row_requester_true(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The requester's id is true."""
    return _each(_rows(answer, ticket), answer, _set("requester_id", True))


def row_endless_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The organization's id is 1e999, which most readers take for infinity."""
    mark = "@@endless@@"
    if _each(_rows(answer, ticket), answer, _set("organization_id", mark)) is None:
        return None
    return _spliced(answer, mark, "1e999")


def row_key_twice(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The key status stands twice in the row, the second time with null."""
    mark = "@@twice@@"
    rows = [row for row in _rows(answer, ticket) if "status" in row]
    if not rows:
        return None
    for row in rows:
        row[mark] = None
    return _spliced(answer, mark, '"status"')


def row_subject_surrogate(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Subject and description hold half a character, a NUL and a change of writing direction."""
    odd = "half \ud83d nul \x00 turn \u202e end"
    parts = [_each(_rows(answer, ticket), answer, _set(name, odd)) for name in ("subject", "description")]
    return answer if any(part is not None for part in parts) else None


def row_subject_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The subject is a list."""
    return _each(_rows(answer, ticket), answer, _turn("subject", lambda v: [v, None]))


def row_via_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Via is the bare name of the channel."""
    return _each(_rows(answer, ticket), answer, _set("via", "email"))


def row_via_hollow(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Via has a null channel and a null source."""
    return _each(_rows(answer, ticket), answer, _set("via", {"channel": None, "source": None}))


def row_messaging_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """From_messaging_channel is the text false."""
    return _each(_rows(answer, ticket), answer, _set("from_messaging_channel", "false"))


def row_slas_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The slas sideload was asked for and is null."""
    return _each(_rows(answer, ticket), answer, _set("slas", None))


def row_slas_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The slas sideload was asked for and is missing."""
    return _each(_rows(answer, ticket), answer, _drop("slas"))


def row_slas_bare_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Slas is the list itself, without policy_metrics around it."""

    def bare(value: Any) -> Any:
        """The list inside."""
        return value.get("policy_metrics", []) if isinstance(value, dict) else value

    return _each(_rows(answer, ticket), answer, _turn("slas", bare))


def row_slas_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every SLA target has an unknown stage and a breach time in seconds as text; a null one leads."""
    done = False
    for row in _rows(answer, ticket):
        slas = row.get("slas")
        metrics = slas.get("policy_metrics") if isinstance(slas, dict) else None
        if isinstance(metrics, list) and metrics:
            for metric in _tables(metrics):
                metric["stage"], metric["breach_at"] = "active_paused", "1764500000"
            metrics.insert(0, None)
            done = True
    return answer if done else None


def row_slas_no_stage(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The SLA targets have no stage and no metric name, only a breach time."""
    done = False
    for row in _rows(answer, ticket):
        slas = row.get("slas")
        metrics = slas.get("policy_metrics") if isinstance(slas, dict) else None
        for metric in _tables(metrics) if isinstance(metrics, list) else []:
            done = _drop("stage", "metric")(metric) or done
    return answer if done else None


def row_metric_set_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The metric set of the ticket has text for numbers and null for its inner tables."""
    found = [row["metric_set"] for row in _rows(answer, ticket) if isinstance(row.get("metric_set"), dict)]
    side = _body(answer).get("metric_sets")
    if isinstance(side, list):
        found += [one for one in _tables(side) if str(one.get("ticket_id")) == ticket]
    for one in found:
        one["replies"], one["reopens"] = "many", None
        for key in [key for key in one if key.endswith("_in_minutes")]:
            one[key] = None
    return answer if found else None


# --------------------------------------------------------------------------------------- history


def history_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The list of audits or comments is null."""
    for name in ("audits", "comments"):
        if _named(path, ticket) and isinstance(_body(answer).get(name), list):
            answer["json"][name] = None
            return answer
    return None


def history_key_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The key of the list of audits or comments is missing from the body."""
    for name in ("audits", "comments"):
        if _named(path, ticket) and isinstance(_body(answer).get(name), list):
            del answer["json"][name]
            return answer
    return None


def history_null_rows(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Between the rows of the history stand null, a text and an empty table."""
    rows = _history(path, ticket, answer, "audits", "comments")
    if not rows:
        return None
    rows[:] = [None, *rows, "deleted", {}]
    return answer


def history_doubled_backwards(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The rows of the history come twice, the second time backwards."""
    rows = _history(path, ticket, answer, "audits", "comments")
    if not rows:
        return None
    rows.extend(deepcopy(rows[::-1]))
    return answer


def history_no_times(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No row of the history says when."""
    return _each(_tables(_history(path, ticket, answer, "audits", "comments")), answer, _drop("created_at"))


def history_bad_time(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The newest row of the history has a time that is no time."""
    rows = _tables(_history(path, ticket, answer, "audits", "comments"))
    return _each(rows[-1:], answer, _set("created_at", "2026-13-45T99:99:99Z"))


def history_author_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The authors' ids are text."""
    rows = _tables(_history(path, ticket, answer, "audits", "comments"))
    return _each(rows, answer, _turn("author_id", str))


def history_author_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No row of the history says who."""
    rows = _tables(_history(path, ticket, answer, "audits", "comments"))
    return _each(rows, answer, _drop("author_id"))


def history_via_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Via is null in every row of the history."""
    rows = _tables(_history(path, ticket, answer, "audits", "comments"))
    return _each(rows, answer, _set("via", None))


def audits_events_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The events of every audit are null."""
    rows = _tables(_history(path, ticket, answer, "audits"))
    return _each(rows, answer, _set("events", None))


def audits_events_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every audit starts with null, an event without type and one of an unknown type with a table in it."""
    odd = [None, {"id": 1}, {"id": "2", "type": "Quux", "value": {"a": 1}, "field_name": ["status"]}]

    def change(row: Row) -> bool:
        """Put the odd events in front."""
        if not isinstance(row.get("events"), list):
            return False
        row["events"] = [*deepcopy(odd), *row["events"]]
        return True

    return _each(_tables(_history(path, ticket, answer, "audits")), answer, change)


def audits_values_numbers(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Ids in the events are numbers and not text, and the previous value is missing."""
    done = False
    for row in _tables(_history(path, ticket, answer, "audits")):
        events = row.get("events")
        for event in _tables(events) if isinstance(events, list) else []:
            if str(event.get("value") or "").isdecimal():
                event["value"], done = int(event["value"]), True
            done = event.pop("previous_value", ...) is not ... or done
    return answer if done else None


def audits_field_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The Change events do not say which field changed."""
    done = False
    for row in _tables(_history(path, ticket, answer, "audits")):
        events = row.get("events")
        for event in _tables(events) if isinstance(events, list) else []:
            done = _drop("field_name")(event) or done
    return answer if done else None


def audits_metadata_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The metadata of every audit is null."""
    rows = _tables(_history(path, ticket, answer, "audits"))
    return _each(rows, answer, _set("metadata", None))


def audits_custom_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The custom part of the metadata is an empty list where it should be a table."""
    done = False
    for row in _tables(_history(path, ticket, answer, "audits")):
        if isinstance(row.get("metadata"), dict) and not row["metadata"].get("custom"):
            row["metadata"]["custom"] = []
            done = True
    return answer if done else None


def audits_chat_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The oldest audit tells of a chat whose history is text and not a list."""
    event = {"id": 77, "type": "ChatStartedEvent", "value": {"conversation_id": None, "history": "(hidden)"}}
    for row in _tables(_history(path, ticket, answer, "audits"))[:1]:
        if isinstance(row.get("events"), list):
            row["events"].append(event)
            return answer
    return None


def comments_public_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """No comment says whether it is public: the mark is null."""
    rows = _tables(_history(path, ticket, answer, "comments"))
    return _each(rows, answer, _set("public", None))


def comments_public_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The mark public is the text true or false."""
    rows = _tables(_history(path, ticket, answer, "comments"))
    return _each(rows, answer, _turn("public", lambda v: "true" if v else "false"))


def comments_bodies_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The comments have null for every kind of body."""
    rows = _tables(_history(path, ticket, answer, "comments"))
    parts = [_each(rows, answer, _set(name, None)) for name in ("body", "html_body", "plain_body")]
    return answer if any(part is not None for part in parts) else None


def history_no_page_end(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The last page of the history says there is more and names no cursor and no link."""
    if not _history(path, ticket, answer, "audits", "comments"):
        return None
    answer["json"]["meta"] = {"has_more": True, "after_cursor": None, "before_cursor": None}
    answer["json"]["links"] = {"next": None, "prev": None}
    return answer


def history_loop(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of the history names itself as its next page, in the old way and in the new."""
    if not _history(path, ticket, answer, "audits", "comments"):
        return None
    asked = parse_qs(urlsplit(path).query).get("page[after]")
    old = answer["json"].get("links")
    base = str((old or {}).get("next") or "") if isinstance(old, dict) else ""
    parts = urlsplit(base)
    here = f"{parts.scheme}://{parts.netloc}{path}" if parts.netloc else path
    answer["json"]["meta"] = {"has_more": True, "after_cursor": asked[0] if asked else None}
    answer["json"]["links"] = {"next": here, "prev": None}
    answer["json"]["next_page"] = here
    return answer


def history_forbidden(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Audits and comments of the ticket are refused with 403 and an HTML page; the ticket itself is not."""
    if not _history(path, ticket, answer, "audits", "comments"):
        return None
    return _raw(answer, HTML, "text/html; charset=utf-8", 403)


# ------------------------------------------------------------------------------------------ path


def path_forbidden_day(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The one ticket is refused to readers with 403 and an error that is a table."""
    if method != "GET" or not _itself(path, ticket) or not _good(answer):
        return None
    answer["status"] = 403
    answer["json"] = {"error": {"title": "Forbidden", "message": None}}
    return answer


def path_read_401(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 401 with an empty body; everything else works."""
    if method != "GET" or not _named(path, ticket) or not _good(answer):
        return None
    return _raw(answer, "", None, 401)


def path_read_304(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 304 though nobody asked a condition."""
    if method != "GET" or not _itself(path, ticket) or not _good(answer):
        return None
    return _raw(answer, "", None, 304)


def path_read_login(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket leads with 302 to a login page on another host."""
    if method != "GET" or not _itself(path, ticket) or not _good(answer):
        return None
    answer["headers"]["location"] = "https://login.elsewhere.example/access/unauthenticated"
    return _raw(answer, "", "text/html", 302)


def path_read_429_date(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 429 with a Retry-After that is a date long past."""
    if method != "GET" or not _named(path, ticket) or not _good(answer):
        return None
    answer["headers"]["retry-after"] = "Wed, 21 Oct 2015 07:28:00 GMT"
    return _raw(answer, "", None, 429)


def path_read_429_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading this one ticket gives 429 with a Retry-After that is a word."""
    if method != "GET" or not _named(path, ticket) or not _good(answer):
        return None
    answer["headers"]["retry-after"] = "soon"
    return _raw(answer, "<html>429</html>", "text/html", 429)


def path_other_ticket(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A mixed-up cache answers the reading of this ticket with a ticket of another id."""
    if method != "GET" or not _itself(path, ticket) or not isinstance(_body(answer).get("ticket"), dict):
        return None
    answer["json"]["ticket"]["id"] = 987654321
    return answer


def path_ticket_in_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The one ticket comes inside a list of one."""
    if not _itself(path, ticket) or not isinstance(_body(answer).get("ticket"), dict):
        return None
    answer["json"]["ticket"] = [answer["json"]["ticket"]]
    return answer


def path_sideloads_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """All sideloads beside the one ticket are null."""
    if method != "GET" or not _itself(path, ticket):
        return None
    names = [name for name in ("users", "groups", "organizations", "metric_sets") if name in _body(answer)]
    for name in names:
        answer["json"][name] = None
    return answer if names else None


def path_sideloads_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Sideloaded people have no name, no role, text for ids, and null stands among them."""
    if method != "GET" or not _itself(path, ticket) or not isinstance(_body(answer).get("users"), list):
        return None
    for user in _tables(answer["json"]["users"]):
        user["id"] = str(user.get("id"))
        user["name"] = user["role"] = user["tags"] = user["user_fields"] = None
    answer["json"]["users"].insert(0, None)
    return answer


def path_error_200(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Reading the ticket gives 200 with the body of an error."""
    if method != "GET" or not _itself(path, ticket) or not _good(answer):
        return None
    answer["json"] = {"error": "InternalError", "description": None}
    return answer


def path_half_body(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body of the one ticket stops in its middle."""
    if not _named(path, ticket) or not _body(answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2])


def path_mark_first(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body of the one ticket starts with a byte order mark."""
    if not _named(path, ticket) or not _body(answer):
        return None
    return _raw(answer, "\ufeff" + json.dumps(answer["json"]))


def path_bad_bytes(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The subject of the one ticket holds bytes that are no UTF-8."""
    single = _body(answer).get("ticket")
    if not _itself(path, ticket) or not isinstance(single, dict) or "subject" not in single:
        return None
    single["subject"] = "@@bytes@@"
    return _spliced(answer, "@@bytes@@", '"Z\udcfcrich \udcff"')


def path_deep(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A field of the one ticket is a list in a list in a list, very deep."""
    single = _body(answer).get("ticket")
    if not _itself(path, ticket) or not isinstance(single, dict):
        return None
    single["sharing_agreement_ids"] = "@@deep@@"
    return _spliced(answer, "@@deep@@", "[" * 100_000 + "]" * 100_000)


def path_long_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A field of the one ticket is a number of five thousand digits."""
    single = _body(answer).get("ticket")
    if not _itself(path, ticket) or not isinstance(single, dict):
        return None
    single["brand_id"] = "@@long@@"
    return _spliced(answer, "@@long@@", "9" * 5000)


def path_gzip_lie(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head says the body is packed with gzip, and it is not."""
    if method != "GET" or not _named(path, ticket) or not _body(answer):
        return None
    answer["headers"]["content-encoding"] = "gzip"
    return answer


def path_charset_lie(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head names a charset that does not exist."""
    if not _named(path, ticket) or not _body(answer):
        return None
    answer["headers"]["content-type"] = "application/json; charset=x-klingon"
    return answer


def path_json_as_html(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body is good JSON, and the head calls it HTML."""
    if not _named(path, ticket) or not _body(answer):
        return None
    answer["headers"]["content-type"] = "text/html"
    return answer


def path_write_404(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every write to the ticket gives 404 with an empty body, though the ticket reads well."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _good(answer):
        return None
    return _raw(answer, "", None, 404)


def path_write_empty(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 200 with an empty body."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _good(answer):
        return None
    return _raw(answer, "")


def path_write_204(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 204."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _good(answer):
        return None
    return _raw(answer, "", None, 204)


def path_write_202(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 202 with a job nobody asked for."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _good(answer):
        return None
    answer["status"] = 202
    answer["json"] = {"job_status": {"id": "V3-0f", "status": "queued", "results": None, "total": None}}
    return answer


def path_write_nulls(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and both ticket and audit in the answer are null."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _body(answer):
        return None
    answer["json"] = {"ticket": None, "audit": None}
    return answer


def path_write_audit_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the audit in the answer has a text id and no events."""
    audit = _body(answer).get("audit")
    if method != "PUT" or not _named(path, ticket) or not isinstance(audit, dict):
        return None
    audit["id"], audit["events"] = str(audit.get("id")), None
    return answer


def path_write_html_200(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 200 with the page of a proxy."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _good(answer):
        return None
    return _raw(answer, HTML, "text/html; charset=utf-8")


def path_write_503_later(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 503 with a Retry-After of a fraction."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _good(answer):
        return None
    answer["headers"]["retry-after"] = "0.5"
    return _raw(answer, "", None, 503)


def path_write_409_empty(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and the answer is 409 with an empty body: no word which conflict."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _good(answer):
        return None
    return _raw(answer, "", None, 409)


def path_write_520(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and a proxy answers 520, a status no table lists."""
    if method not in ("PUT", "POST") or not _named(path, ticket) or not _good(answer):
        return None
    return _raw(answer, "error code: 520", "text/plain", 520)


def path_write_warned(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The write was carried out, and a very long warning in the head speaks of keys nobody sent."""
    if method != "PUT" or not _named(path, ticket) or not _good(answer):
        return None
    keys = ", ".join(f'"ticket.unheard_of_{number}"' for number in range(120))
    answer["headers"]["x-zendesk-api-warn"] = f"Removed restricted keys [{keys}] from parameters"
    return answer


# -------------------------------------------------------------------------------------- envelope


def _page(path: str, answer: Answer) -> list[Any]:
    """The list of tickets of a page that is about no ticket alone, or an empty one."""
    if _alone(path):
        return []
    return next((rows for rows in _lists(answer) if rows), [])


def _directory(path: str, answer: Answer, name: str) -> list[Row]:
    """The rows of a directory list."""
    rows = None if _alone(path) else _body(answer).get(name)
    return _tables(rows) if isinstance(rows, list) else []


def envelope_anonymous(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Who-am-I answers 200 with the anonymous user, whose id is null."""
    if "/users/me" not in path or not isinstance(_body(answer).get("user"), dict):
        return None
    answer["json"]["user"] = {"id": None, "name": "Anonymous user", "role": "end-user", "email": None}
    return answer


def envelope_me_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Who-am-I answers with a text id, no role and no locale."""
    user = _body(answer).get("user")
    if "/users/me" not in path or not isinstance(user, dict):
        return None
    user["id"] = str(user.get("id"))
    _drop("role", "locale", "time_zone", "iana_time_zone", "active")(user)
    return answer


def envelope_page_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The list of tickets of a whole page is null."""
    if not _page(path, answer):
        return None
    for name in ("tickets", "results"):
        if name in answer["json"]:
            answer["json"][name] = None
    return answer


def envelope_page_table(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The list of tickets is a table from id to row."""
    if not _page(path, answer):
        return None
    for name in ("tickets", "results"):
        if isinstance(answer["json"].get(name), list):
            answer["json"][name] = {str(row.get("id")): row for row in _tables(answer["json"][name])}
    return answer


def envelope_strange_rows(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Between the tickets of a page stand null, an empty table, a list and a row with a null id."""
    rows = _page(path, answer)
    if not rows:
        return None
    rows[:] = [None, {}, *rows, [], {"id": None, "status": "open", "updated_at": None}]
    return answer


def envelope_doubled(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Every ticket of the page comes twice, the second time backwards."""
    rows = _page(path, answer)
    if not rows:
        return None
    rows.extend(deepcopy(rows[::-1]))
    return answer


def envelope_error_beside(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets carries the key error as well, with status 200."""
    if not _page(path, answer):
        return None
    answer["json"]["error"] = "PartialResult"
    answer["json"]["description"] = "Some shards did not answer"
    return answer


def envelope_export_cursor_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The export says it is not at its end and gives no cursor and no link."""
    if "/incremental/" not in path or "after_cursor" not in _body(answer):
        return None
    answer["json"].update(after_cursor=None, after_url=None, end_of_stream=False)
    return answer


def envelope_export_cursor_number(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The cursor of the export is a table and not a text."""
    if "/incremental/" not in path or "after_cursor" not in _body(answer):
        return None
    answer["json"]["after_cursor"] = {"cursor": answer["json"]["after_cursor"]}
    return answer


def envelope_export_end_gone(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The export does not say whether it is at its end."""
    if "/incremental/" not in path or "end_of_stream" not in _body(answer):
        return None
    del answer["json"]["end_of_stream"]
    return answer


def envelope_export_end_text(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The export says by the text false or true whether it is at its end."""
    if "/incremental/" not in path or "end_of_stream" not in _body(answer):
        return None
    answer["json"]["end_of_stream"] = "true" if answer["json"]["end_of_stream"] else "false"
    return answer


def envelope_export_foreign(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The export's next link leads to another host with a port."""
    if "/incremental/" not in path or "after_url" not in _body(answer):
        return None
    answer["json"]["after_url"] = "https://elsewhere.example:443" + path
    return answer


def envelope_export_stuck(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The export gives back the cursor it was asked with and says it is not at its end."""
    asked = parse_qs(urlsplit(path).query).get("cursor")
    if "/incremental/" not in path or "after_cursor" not in _body(answer) or not asked:
        return None
    answer["json"]["after_cursor"], answer["json"]["end_of_stream"] = asked[0], False
    return answer


def envelope_list_no_cursor(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A cursor list says there is more and gives no cursor and no link."""
    if _alone(path) or not isinstance(_body(answer).get("meta"), dict):
        return None
    answer["json"]["meta"] = {"has_more": True, "after_cursor": None, "before_cursor": None}
    answer["json"]["links"] = {"prev": None, "next": None}
    return answer


def envelope_list_meta_list(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A cursor list has a list for meta and text for links."""
    if _alone(path) or not isinstance(_body(answer).get("meta"), dict):
        return None
    answer["json"]["meta"], answer["json"]["links"] = [], "next"
    return answer


def envelope_list_stuck(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A cursor list gives back the cursor it was asked with and says there is more, for ever."""
    asked = parse_qs(urlsplit(path).query).get("page[after]")
    if _alone(path) or not isinstance(_body(answer).get("meta"), dict) or not asked:
        return None
    answer["json"]["meta"].update(has_more=True, after_cursor=asked[0])
    return answer


def envelope_half(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The body of a page of tickets stops in its middle, with status 200."""
    if not _page(path, answer):
        return None
    text = json.dumps(answer["json"])
    return _raw(answer, text[: len(text) // 2])


def envelope_trailing(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """After the good body of a page of tickets follows a second document, an error."""
    if not _page(path, answer):
        return None
    return _raw(answer, json.dumps(answer["json"]) + '\n{"error":"Timeout"}')


def envelope_html(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is HTML with status 200 and the head of JSON."""
    if not _page(path, answer):
        return None
    return _raw(answer, HTML, "application/json; charset=utf-8")


def envelope_bad_bytes(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets has an extra key with bytes that are no UTF-8."""
    if not _page(path, answer):
        return None
    answer["json"]["server"] = "@@bytes@@"
    return _spliced(answer, "@@bytes@@", '"pod \udcff\udcfe"')


def envelope_empty_202(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """A page of tickets is 202 with an empty body."""
    if not _page(path, answer):
        return None
    return _raw(answer, "", None, 202)


def envelope_json_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The whole body of a page of tickets is the JSON word null."""
    if not _page(path, answer):
        return None
    return _raw(answer, "null", "application/json")


def envelope_rate_words(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The heads that count requests hold words, blanks and fractions."""
    if _alone(path) or not _good(answer):
        return None
    answer["headers"].update(
        {
            "x-rate-limit": "unlimited",
            "x-rate-limit-remaining": "-1",
            "ratelimit-limit": "",
            "ratelimit-remaining": "NaN",
            "ratelimit-reset": "1e999",
            "zendesk-ratelimit-tickets-update": "total=; remaining; =5; resets=soon",
        }
    )
    return answer


def envelope_rate_nought(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The heads say a limit of nought and a reset in a million years, with a good body."""
    if _alone(path) or not _good(answer):
        return None
    answer["headers"].update(
        {"x-rate-limit": "0", "ratelimit-limit": "0", "ratelimit-reset": "31556952000000"}
    )
    return answer


def envelope_date_word(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The head's date is no date."""
    if _alone(path) or not _good(answer):
        return None
    answer["headers"]["date"] = "Yesterday, 30 Feb 2026 25:61:00 GMT"
    return answer


def envelope_groups_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Groups have null names, text ids and the text false for deleted; null stands among them."""
    rows = _directory(path, answer, "groups")
    for row in rows:
        row["id"], row["name"], row["deleted"] = str(row.get("id")), None, "false"
    if rows:
        answer["json"]["groups"].insert(0, None)
    return answer if rows else None


def envelope_groups_null(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The list of groups is null."""
    if not _directory(path, answer, "groups"):
        return None
    answer["json"]["groups"] = None
    return answer


def envelope_members_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Group memberships have text ids, and one has no user at all."""
    rows = _directory(path, answer, "group_memberships")
    for row in rows:
        row["user_id"], row["group_id"] = str(row.get("user_id")), str(row.get("group_id"))
    if rows:
        answer["json"]["group_memberships"].insert(0, {"id": None, "group_id": rows[0]["group_id"]})
    return answer if rows else None


def envelope_users_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """People have null for name, email, tags and fields, and text for active."""
    rows = _directory(path, answer, "users")
    for row in rows:
        row.update(name=None, email=None, tags=None, user_fields=None, active="true", suspended=None)
    return answer if rows else None


def envelope_fields_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Ticket fields have null options, null titles and an unknown type."""
    rows = _directory(path, answer, "ticket_fields")
    for row in rows:
        row["title"], row["type"] = None, "quantum"
        row["custom_field_options"] = row["system_field_options"] = None
    return answer if rows else None


def envelope_schedules_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """Schedules have an unknown time zone and intervals that are null, backwards or text."""
    rows = _directory(path, answer, "schedules")
    for row in rows:
        row["time_zone"] = "Atlantis (Deep)"
        row["intervals"] = [None, {"start_time": "1980", "end_time": None}, {"start_time": 99, "end_time": 9}]
    return answer if rows else None


def envelope_policies_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """SLA policies have null for metrics and filter, and no title."""
    rows = _directory(path, answer, "sla_policies") + _directory(path, answer, "policies")
    for row in rows:
        row["policy_metrics"] = row["filter"] = row["title"] = None
    return answer if rows else None


def envelope_token_odd(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The token answer has a fractional text for expires_in, no type and no scope."""
    if "/oauth/tokens" not in path or "access_token" not in _body(answer):
        return None
    answer["json"]["expires_in"] = "1800.0"
    _drop("token_type", "scope")(answer["json"])
    return answer


def envelope_token_no_end(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The token answer has null for expires_in and for refresh_token."""
    if "/oauth/tokens" not in path or "access_token" not in _body(answer):
        return None
    answer["json"].update(expires_in=None, refresh_token=None)
    return answer


def envelope_token_error(method: str, path: str, ticket: str, answer: Answer) -> Answer | None:
    """The token answer is 200 and holds an error instead of a token."""
    if "/oauth/tokens" not in path or "access_token" not in _body(answer):
        return None
    answer["json"] = {"error": "invalid_scope", "error_description": None, "access_token": None}
    return answer


MUTATIONS: tuple[tuple[str, str, Mutation], ...] = (
    ("the id is text", "row", row_id_text),
    ("the id is a float", "row", row_id_float),
    ("the id is missing, the url is there", "row", row_id_gone),
    ("the row in a list is its bare id", "row", row_bare_id),
    ("the row comes again, stripped to its id", "row", row_twice_stripped),
    ("the row comes again, older and new", "row", row_twice_older),
    ("status null", "row", row_status_null),
    ("status missing", "row", row_status_gone),
    ("status in upper case", "row", row_status_upper),
    ("status an unknown word", "row", row_status_unknown),
    ("status a table", "row", row_status_table),
    ("updated_at null", "row", row_stamp_null),
    ("updated_at and created_at missing", "row", row_stamp_gone),
    ("updated_at a number beyond the calendar", "row", row_stamp_number),
    ("created_at on day nought", "row", row_stamp_zero),
    ("stamps without zone and with nanoseconds", "row", row_stamp_naive),
    ("created_at over the calendar's end", "row", row_stamp_edge),
    ("generated_timestamp 0", "row", row_generated_zero),
    ("generated_timestamp a word", "row", row_generated_text),
    ("tags one text", "row", row_tags_text),
    ("tags null", "row", row_tags_null),
    ("tags with null, number and table among them", "row", row_tags_mixed),
    ("custom_fields null, fields missing", "row", row_custom_null),
    ("custom_fields with odd entries", "row", row_custom_odd),
    ("custom_fields a table", "row", row_custom_table),
    ("priority a table", "row", row_priority_table),
    ("priority a number", "row", row_priority_number),
    ("priority missing", "row", row_priority_gone),
    ("people's ids as text", "row", row_people_text),
    ("assignee and group as tables", "row", row_people_tables),
    ("assignee and group missing", "row", row_people_gone),
    ("requester_id true", "row", row_requester_true),
    ("organization_id 1e999", "row", row_endless_number),
    ("the key status twice", "row", row_key_twice),
    ("half characters and NUL in the subject", "row", row_subject_surrogate),
    ("subject a list", "row", row_subject_list),
    ("via a text", "row", row_via_text),
    ("via with null channel and source", "row", row_via_hollow),
    ("from_messaging_channel the text false", "row", row_messaging_text),
    ("slas null", "row", row_slas_null),
    ("slas missing", "row", row_slas_gone),
    ("slas a bare list", "row", row_slas_bare_list),
    ("sla targets with unknown stage and odd times", "row", row_slas_odd),
    ("sla targets without stage and metric", "row", row_slas_no_stage),
    ("metric set with text and nulls", "row", row_metric_set_odd),
    ("history list null", "history", history_null),
    ("history key missing", "history", history_key_gone),
    ("history with null, text and empty rows", "history", history_null_rows),
    ("history doubled and backwards", "history", history_doubled_backwards),
    ("history without times", "history", history_no_times),
    ("history's newest time impossible", "history", history_bad_time),
    ("history's authors as text", "history", history_author_text),
    ("history without authors", "history", history_author_gone),
    ("history with via null", "history", history_via_null),
    ("audits with events null", "history", audits_events_null),
    ("audits with odd events in front", "history", audits_events_odd),
    ("audit values as numbers, previous missing", "history", audits_values_numbers),
    ("audit events without field name", "history", audits_field_gone),
    ("audits with metadata null", "history", audits_metadata_null),
    ("audits with custom metadata a list", "history", audits_custom_list),
    ("a chat event whose history is text", "history", audits_chat_odd),
    ("comments with public null", "history", comments_public_null),
    ("comments with public as text", "history", comments_public_text),
    ("comments with null bodies", "history", comments_bodies_null),
    ("history says more without a cursor", "history", history_no_page_end),
    ("history page names itself as next", "history", history_loop),
    ("history refused with 403 HTML", "history", history_forbidden),
    ("reading gives 403 with an error table", "path", path_forbidden_day),
    ("reading gives 401 for this ticket only", "path", path_read_401),
    ("reading gives 304", "path", path_read_304),
    ("reading leads to a login elsewhere", "path", path_read_login),
    ("reading gives 429 with a past date", "path", path_read_429_date),
    ("reading gives 429 with a word", "path", path_read_429_word),
    ("reading gives another ticket's id", "path", path_other_ticket),
    ("the ticket in a list of one", "path", path_ticket_in_list),
    ("sideloads null", "path", path_sideloads_null),
    ("sideloaded people odd", "path", path_sideloads_odd),
    ("reading gives an error with 200", "path", path_error_200),
    ("half a body", "path", path_half_body),
    ("a byte order mark first", "path", path_mark_first),
    ("bytes that are no UTF-8", "path", path_bad_bytes),
    ("a very deep list", "path", path_deep),
    ("a number of five thousand digits", "path", path_long_number),
    ("gzip claimed, plain sent", "path", path_gzip_lie),
    ("an unknown charset claimed", "path", path_charset_lie),
    ("JSON called HTML", "path", path_json_as_html),
    ("write done, 404 empty", "path", path_write_404),
    ("write done, 200 empty", "path", path_write_empty),
    ("write done, 204", "path", path_write_204),
    ("write done, 202 with a job", "path", path_write_202),
    ("write done, ticket and audit null", "path", path_write_nulls),
    ("write done, audit with text id and no events", "path", path_write_audit_odd),
    ("write done, 200 HTML", "path", path_write_html_200),
    ("write done, 503 with Retry-After 0.5", "path", path_write_503_later),
    ("write done, 409 empty", "path", path_write_409_empty),
    ("write done, 520 from a proxy", "path", path_write_520),
    ("write done, long warning of other keys", "path", path_write_warned),
    ("who-am-I says anonymous", "envelope", envelope_anonymous),
    ("who-am-I with text id and no role", "envelope", envelope_me_text),
    ("a page's list null", "envelope", envelope_page_null),
    ("a page's list a table", "envelope", envelope_page_table),
    ("strange rows between the tickets", "envelope", envelope_strange_rows),
    ("every ticket of a page twice", "envelope", envelope_doubled),
    ("an error beside the tickets", "envelope", envelope_error_beside),
    ("export without cursor, not at its end", "envelope", envelope_export_cursor_null),
    ("export cursor a table", "envelope", envelope_export_cursor_number),
    ("export without end_of_stream", "envelope", envelope_export_end_gone),
    ("export end_of_stream as text", "envelope", envelope_export_end_text),
    ("export link to another host", "envelope", envelope_export_foreign),
    ("export cursor does not move", "envelope", envelope_export_stuck),
    ("list says more without cursor", "envelope", envelope_list_no_cursor),
    ("list with meta a list", "envelope", envelope_list_meta_list),
    ("list cursor does not move", "envelope", envelope_list_stuck),
    ("half a page", "envelope", envelope_half),
    ("a second document after the page", "envelope", envelope_trailing),
    ("HTML called JSON", "envelope", envelope_html),
    ("a page with bytes that are no UTF-8", "envelope", envelope_bad_bytes),
    ("a page 202 empty", "envelope", envelope_empty_202),
    ("a page that is null", "envelope", envelope_json_null),
    ("rate heads with words", "envelope", envelope_rate_words),
    ("rate heads with nought and for ever", "envelope", envelope_rate_nought),
    ("date head no date", "envelope", envelope_date_word),
    ("groups odd", "envelope", envelope_groups_odd),
    ("groups null", "envelope", envelope_groups_null),
    ("memberships odd", "envelope", envelope_members_odd),
    ("people odd", "envelope", envelope_users_odd),
    ("ticket fields odd", "envelope", envelope_fields_odd),
    ("schedules odd", "envelope", envelope_schedules_odd),
    ("SLA policies odd", "envelope", envelope_policies_odd),
    ("token expiry a fraction as text", "envelope", envelope_token_odd),
    ("token without expiry and refresh", "envelope", envelope_token_no_end),
    ("token answer an error with 200", "envelope", envelope_token_error),
)
