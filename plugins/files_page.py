"""The page "Files" in Airflow."""

from operate.page.plugin import FilesPage

__all__ = ["FilesPage"]
