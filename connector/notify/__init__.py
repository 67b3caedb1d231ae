"""Notifications: what channels outside the helpdesk hear of levels, when, and what becomes of it."""
