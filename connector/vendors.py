"""What the installed adapters say of their helpdesks, by adapter name."""

from collections.abc import Mapping
from importlib.metadata import entry_points

from adapters.base import Vendor


def vendors() -> Mapping[str, Vendor]:
    """The helpdesks that are installed, by name. One that describes nothing is not in it."""
    found = {entry.name: entry.load() for entry in entry_points(group="uptier.vendors")}
    return dict(sorted(found.items()))
