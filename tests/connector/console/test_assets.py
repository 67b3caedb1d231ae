"""What is vendored is what its page says, byte for byte."""

import re
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "connector" / "console" / "static"


def test_vendored_scripts_have_the_hashes_of_the_documents() -> None:
    told = dict(
        re.findall(r"\| `([^`]+\.js)` \| `(\w{64})` \|", (ROOT / "docs" / "console.md").read_text("utf-8"))
    )
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in STATIC.glob("*.min.js")}
    assert told == found


def test_no_template_has_a_script_or_a_style_in_it() -> None:
    for path in (ROOT / "connector" / "console" / "templates").glob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", text), path.name
