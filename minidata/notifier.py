"""Sends alerts through Airflow's notifiers: mail by its SMTP provider, anything else by Apprise's.

It is the one place besides the trigger that imports Airflow. Run as `python -m minidata.notifier`, it sends a test.
"""

import html
import json
import logging
import os
import sys
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from minidata.alerts import Alert, deliver
from minidata.errors import PermanentError, PlatformError, TransientError
from minidata.settings import Settings, load_settings
from minidata.warehouse.connection import connect

log = logging.getLogger(__name__)
_CONNECTION = "mdp_alerts"
_LOCAL = {"127.0.0.1", "localhost", "::1"}
_TEST = Alert("test", "Test of the alerts", "The alerts of this platform arrive. `./mdp status` shows its state.", ())


def tell(settings: Settings) -> list[Alert]:
    """Send what has not been told yet, and return it.

    Raises:
        TransientError: if an alert could not be sent; it is tried again the next time.
    """
    with connect(settings, "loader") as connection:
        sent = deliver(connection, settings, lambda alert: send(settings, alert))
    log.info("%d alerts sent: %s", len(sent), ", ".join(alert.title for alert in sent))
    return sent


def send(settings: Settings, alert: Alert) -> None:
    """Send one alert.

    Raises:
        PermanentError: if MDP_ALERTS is unset or no address.
        TransientError: if the notifier cannot deliver it.
    """
    address = settings.secret("alerts")
    notifier, connection = _mail(address, alert) if address.startswith("mailto:") else _apprise(address, alert)
    os.environ[f"AIRFLOW_CONN_{_CONNECTION.upper()}"] = json.dumps(connection)
    try:
        notifier.notify({})
    except Exception as error:
        raise TransientError(
            f"The alert '{alert.title}' could not be sent: {error}. Check MDP_ALERTS with `./mdp alerts test`."
        ) from error


def _mail(address: str, alert: Alert) -> tuple[Any, dict[str, Any]]:
    """Return the notifier of a `mailto:` address, and the connection to its server.

    >>> _mail("mailto:a@b.example", _TEST)
    Traceback (most recent call last):
    minidata.errors.PermanentError: MDP_ALERTS names no mail server: add ?server=smtp://USER:PASSWORD@HOST:587.
    """
    parts = urlsplit(address)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if "server" not in options:
        raise PermanentError("MDP_ALERTS names no mail server: add ?server=smtp://USER:PASSWORD@HOST:587.")
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415  seconds, only when there is one

    server = urlsplit(options["server"])
    to = [unquote(one) for one in parts.path.split(",")]
    encrypted = server.scheme == "smtps"
    extra = {"disable_ssl": not encrypted, "disable_tls": encrypted or server.hostname in _LOCAL, "retry_limit": 1}
    notifier = SmtpNotifier(
        to=to,
        from_email=options.get("from", to[0]),
        subject=f"[Mini Data Platform] {alert.title}",
        html_content=f"<pre>{html.escape(alert.body)}</pre>",
        smtp_conn_id=_CONNECTION,
    )
    return notifier, {
        "conn_type": "smtp",
        "host": server.hostname,
        "port": server.port or (465 if encrypted else 587),
        "login": unquote(server.username) if server.username else None,
        "password": unquote(server.password) if server.password else None,
        "extra": extra,
    }


def _apprise(address: str, alert: Alert) -> tuple[Any, dict[str, Any]]:
    """Return the notifier of any other address, in the notation of Apprise, and its connection."""
    from airflow.providers.apprise.hooks.apprise import AppriseHook  # noqa: PLC0415
    from airflow.providers.apprise.notifications.apprise import AppriseNotifier  # noqa: PLC0415

    class CheckedHook(AppriseHook):
        """Apprise returns whether it could deliver, and the provider's hook drops that."""

        def set_config_from_conn(self, conn: Any, apprise_obj: Any) -> None:
            super().set_config_from_conn(conn, apprise_obj)
            deliver = apprise_obj.notify

            def notify(**message: Any) -> None:
                if not len(apprise_obj):
                    raise PermanentError("MDP_ALERTS is no address that Apprise knows. docs/settings.md has examples.")
                if not deliver(**message):
                    raise ConnectionError("the server refused it or cannot be reached")

            apprise_obj.notify = notify

    kind = "info" if alert.kind == "test" else "warning"
    notifier = AppriseNotifier(
        title=f"[Mini Data Platform] {alert.title}", body=alert.body, notify_type=kind, apprise_conn_id=_CONNECTION
    )
    notifier.hook = CheckedHook(_CONNECTION)
    return notifier, {"conn_type": "apprise", "extra": {"config": [{"path": address, "tag": "alerts"}]}}


def main() -> int:
    """Send a test alert."""
    try:
        send(load_settings(), _TEST)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
