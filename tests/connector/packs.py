"""The starter packs as policies, on the tickets of `lives`."""

from dataclasses import replace

from connector.config.files import fitted, text
from policies.language.document import Document, read
from policies.language.parse import parse
from policies.language.policy import PolicySet
from tests.policies.lives import DIRECTORY, HEAD, Life, calendars

PEOPLE = """
[people."ann@acme.test"]
manager = "dan@acme.test"
[groups."Tier 1"]
lead = "ann@acme.test"
[groups."Tier 2"]
lead = "cat@acme.test"
[sla.standard]
next_reply = { urgent = "1h", high = "2h", normal = "4h", low = "8h" }
resolution = { urgent = "4h", high = "8h", normal = "24h", low = "48h" }
"""


def document(name: str, toml: str) -> Document:
    """TOML text as a document."""
    made = read(name, toml)
    assert isinstance(made, Document), made
    return made


def packs(*names: str, **settings: object) -> PolicySet:
    """These packs, with these settings, as one checked set."""
    taken = [document(name, text(name)) for name in names]
    used = [replace(each, data=fitted(each.data, settings)) for each in taken]
    parsed = parse([document("uptier.toml", HEAD + PEOPLE), *used])
    assert parsed.problems == (), parsed.problems
    assert parsed.policies is not None
    return parsed.policies


def living(*names: str, **settings: object) -> Life:
    """A ticket under these packs."""
    life = Life()
    life.policies = packs(*names, **settings)
    life.calendars = calendars(life.policies)
    known = life.policies
    life.directory = replace(DIRECTORY, leads=known.leads, managers=known.managers)
    return life
