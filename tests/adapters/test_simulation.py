"""What a simulator may know: its own folder and the kit, and nothing that it is a check on."""

import re
from pathlib import Path

import pytest

ADAPTERS = Path(__file__).parents[2] / "adapters"
OURS = ("policies", "connector", "adapters", "zenpy")


@pytest.mark.parametrize(
    "name", ["zendesk.simulator", "freshdesk.simulator", "servicenow.simulator", "simulation"]
)
def test_the_simulator_imports_nothing_that_it_is_a_check_on(name: str) -> None:
    own = rf"adapters\.{re.escape(name)}(\.\w+)?"
    files = sorted((ADAPTERS / name.replace(".", "/")).glob("*.py"))
    assert files
    for path in files:
        for module in re.findall(r"^\s*(?:from|import) (\S+)", path.read_text(), re.MULTILINE):
            if module.split(".")[0] in OURS:
                assert re.fullmatch(rf"{own}|adapters\.simulation(\.\w+)?", module), f"{path.name}: {module}"
