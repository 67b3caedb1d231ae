"""ServiceNow's own tags: a `label`, and a `label_entry` that ties it to a record.

Out of the box ServiceNow refuses the entry, or makes one that is tied to nothing; such a one is taken away again
and told. An entry does not change the record's revision. Vendor sheet 2.8,
https://www.servicenow.com/docs/r/platform-user-interface/administering-tags.html
"""

from adapters.base import NotAllowed, OutcomeUnknown, Receipt, RefusedPart, WontAccept, Write
from adapters.servicenow.profile import LABELS, Profile
from adapters.servicenow.rows import Row, instant, text
from adapters.servicenow.session import Line, legible, sys_id
from adapters.servicenow.tags import tags
from adapters.servicenow.ticket import revision

LABEL = "label"


def send_labels(line: Line, profile: Profile, write: Write, row: Row) -> Receipt:
    """Tie the label to the record, or untie it."""
    name = str(write.request["label"]["name"])
    label = label_of(line, name)
    tied = entries(line, label, write) if label else []
    if write.request["label"]["on"]:
        if not tied:
            try:
                tie(line, profile, write, label or made(line, name))
            except NotAllowed as error:
                part = RefusedPart(field="tags", vendor_field=LABELS, text=str(error))
                raise WontAccept(str(error), (part,)) from error
    else:
        for entry in tied:
            line.delete(LABELS, entry)
    return receipt(profile, write, row)


def find_labels(line: Line, profile: Profile, write: Write, row: Row) -> Receipt | None:
    """Whether the label is tied to the record as it was to be."""
    label = label_of(line, str(write.request["label"]["name"]))
    tied = bool(label and entries(line, label, write))
    return receipt(profile, write, row) if tied == write.request["label"]["on"] else None


def label_of(line: Line, name: str) -> str | None:
    """The id of the one label of that name, or None. WontAccept where there are several."""
    rows = line.every(LABEL, {"name": [name], "type": ["standard"]}, ("name",)).rows
    if len(rows) > 1:
        raise WontAccept(f"ServiceNow has {len(rows)} tags named {name!r}; leave one")
    return sys_id(rows[0]) if rows else None


def made(line: Line, name: str) -> str:
    """A new label that everybody sees."""
    answer = line.post(LABEL, {"name": name, "type": "standard", "viewable_by": "everyone"})
    if not isinstance(answer.result, dict) or not sys_id(answer.result):
        raise OutcomeUnknown(f"ServiceNow's answer to the new tag {name!r} has no record in it")
    return sys_id(answer.result)


def entries(line: Line, label: str, write: Write) -> list[str]:
    """The ids of what ties this label to the record."""
    rows = line.every(LABELS, {"label": [label], "table_key": [write.ref.id]}, ("label",)).rows
    return [sys_id(row) for row in rows]


def tie(line: Line, profile: Profile, write: Write, label: str) -> None:
    """Make the entry, and take it away again if it came out tied to nothing."""
    said = {"label": label, "table": profile.name, "table_key": write.ref.id}
    result = line.post(LABELS, said).result
    if not isinstance(result, dict) or not sys_id(result):
        raise OutcomeUnknown(f"ServiceNow's answer to {write.key} has no record in it")
    with legible(writing=True):
        tied = (text(result, "table_key"), text(result, "table"))
    if tied != (write.ref.id, profile.name):
        line.delete(LABELS, sys_id(result))
        raise WontAccept(
            "ServiceNow ties no tag to a record over REST: label_entry's columns are closed to Uptier's user. "
            "Keep the tags in a column instead (docs/servicenow.md)"
        )


def receipt(profile: Profile, write: Write, row: Row) -> Receipt:
    """The receipt. The audit does not tell of labels, so there is no fact to name."""
    name, on = str(write.request["label"]["name"]), bool(write.request["label"]["on"])
    before = tags(profile, row)
    after = before | {name} if on else before - {name}
    pair = (("tags", tuple(sorted(before)), tuple(sorted(after))),) if before != after else ()
    return Receipt(
        key=write.key,
        revision=revision(row),
        at=instant(row, "sys_updated_on") or 0,
        changed=pair,
    )
