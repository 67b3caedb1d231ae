"""Reports: what escalation came to in a period, each figure with its cohort, clock, numbers and exclusions.

`report.report` makes one from an open connection; `written` and `page` write it down. Nothing here writes to the
database or asks a helpdesk.
"""
