"""What Superset records about its users: only what its own list of recent items needs."""

from typing import Any

from superset.utils.core import get_user_id
from superset.utils.log import DBEventLogger

_SHOWN = {"mount_dashboard", "mount_explorer"}


class OwnActivity(DBEventLogger):
    """Keeps which dashboards and charts a logged-in user opened; an open dashboard would add rows without end."""

    def log_with_context(self, action: str, *args: Any, **kwargs: Any) -> None:
        """Keep only what the page reports about a logged-in user."""
        if action == "log" and get_user_id() is not None:
            super().log_with_context(action, *args, **kwargs)

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Keep the records that are shown to their user."""
        kept = [record for record in kwargs.pop("records", []) if record.get("event_name") in _SHOWN]
        super().log(*args, records=kept, **kwargs)
