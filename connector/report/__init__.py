"""Reports: what escalation came to in a period, each figure with its cohort, clock, numbers and exclusions.

`making.report` makes one from an open connection; `as_text`, `as_html`, `as_csv`, `as_json` and `as_markdown` write it
down. Nothing here writes to the database or asks a helpdesk.
"""
