"""Quarantine as work: read a file that waits for a person, change it, judge the result, send it as a new version."""
