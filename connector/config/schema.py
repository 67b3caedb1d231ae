"""The whole config file as JSON Schema: the settings as they are checked, and the policy language."""

from typing import Any

from connector.config.settings import Settings
from policies.language import schema as language

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def whole() -> dict[str, Any]:
    """For the main file and for policy files alike: no top-level key is required."""
    settings = Settings.model_json_schema()
    return {
        "$schema": DIALECT,
        "title": "Uptier",
        "description": "uptier.toml and the files of policies.d. `uptier check` knows more than this schema.",
        "type": "object",
        "properties": {**settings["properties"], **language.properties()},
        "additionalProperties": False,
        "$defs": {**settings.get("$defs", {}), "conditions": language.conditions()},
    }
