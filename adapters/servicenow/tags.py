"""Tags in a text column. ServiceNow's own tags cannot be set over REST out of the box, so a column it is.

The column that integrations share by custom, `correlation_display`, is ours only where it is empty or begins
with our word, and holds 100 characters. Vendor sheet 2.8 and 2.9.
"""

from collections.abc import Iterable

from adapters.servicenow.profile import LABELS, SHARED, Profile
from adapters.servicenow.rows import Row, label, text

OURS = "uptier: "
LONGEST = 100
UNFIT = frozenset(",^\r\n\t")


def column(profile: Profile) -> str:
    """The column that tags are read from; ServiceNow's own show in a computed one, as labels only."""
    return "sys_tags" if profile.tags == LABELS else profile.tags


def tags(profile: Profile, row: Row) -> frozenset[str]:
    """The tags of a record. What another integration keeps in the shared column is none."""
    held = label(row, "sys_tags") if profile.tags == LABELS else text(row, profile.tags)
    return frozenset(read(profile, held))


def read(profile: Profile, held: str) -> list[str]:
    """The tags in a column's text, in its order."""
    if profile.tags == SHARED:
        if not held.startswith(OURS.strip()):
            return []
        held = held.removeprefix(OURS.strip())
    return [tag for part in held.split(",") if (tag := part.strip())]


def is_foreign(profile: Profile, held: str) -> bool:
    """Whether somebody else keeps something in the shared column."""
    return profile.tags == SHARED and bool(held.strip()) and not held.startswith(OURS.strip())


def spell(profile: Profile, tags: Iterable[str]) -> str:
    """The tags as a column's text; empty for none."""
    listed = ",".join(sorted(tags))
    return f"{OURS}{listed}" if listed and profile.tags == SHARED else listed


def can_keep(tag: str) -> bool:
    """Whether a tag comes back as it was written."""
    return bool(tag) and tag == tag.strip() and not UNFIT & set(tag)


def fits(profile: Profile, tags: Iterable[str]) -> bool:
    """Whether so many tags find room."""
    return profile.tags != SHARED or len(spell(profile, tags)) <= LONGEST
