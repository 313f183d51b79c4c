"""Backup and restore: a folder that holds everything of a platform but its packages."""
