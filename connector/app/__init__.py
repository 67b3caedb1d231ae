"""The running service: put together, started and stopped in order, watched, and measured."""
