"""The configuration of Superset, as it asks for it: names in capitals. Secrets come as variables."""

import logging
import os
from typing import Any

from operate.embedded.superset.inside.activity import OwnActivity
from operate.embedded.superset.inside.application import finish
from operate.embedded.superset.inside.log_ins import SecurityManager

_SPINNER = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2893b3" stroke-width="2">'
    '<path d="M12 3a9 9 0 1 1-9 9"><animateTransform attributeName="transform" type="rotate" '
    'from="0 12 12" to="360 12 12" dur="1s" repeatCount="indefinite"/></path></svg>'
)

APP_NAME = "Mini Data Platform"
SECRET_KEY = os.environ["MDP_SUPERSET_SECRET_KEY"]  # encrypts saved passwords: with another one they are lost
SQLALCHEMY_DATABASE_URI = os.environ["MDP_SUPERSET_DATABASE_URI"]
SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 4, "max_overflow": 8, "pool_pre_ping": True}
LOG_LEVEL = logging.WARNING

# Anonymous visitors have Superset's built-in role Public: they read the dashboards that are published to it.
AUTH_ROLE_PUBLIC = "Public"
PUBLIC_ROLE_LIKE = "Public"
FAB_UPDATE_PERMS = False  # the set-up does it once; at every start it would cost seconds
FEATURE_FLAGS = {"DASHBOARD_RBAC": True, "ALERT_REPORTS": False}
EVENT_LOGGER = OwnActivity()
FLASK_APP_MUTATOR = finish
CUSTOM_SECURITY_MANAGER = SecurityManager

TRUSTED_HOSTS = ["127.0.0.1", "localhost"]  # no other site's name may be made to point here
ENABLE_CORS = False
WTF_CSRF_ENABLED = True
SESSION_COOKIE_NAME = os.environ["MDP_SUPERSET_COOKIE"]  # cookies know no port: platforms side by side need two
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
TALISMAN_ENABLED = True
TALISMAN_CONFIG: dict[str, Any] = {
    "content_security_policy": {
        "default-src": ["'self'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,  # loopback
    "session_cookie_secure": False,
}

# Merged into Superset's own theme when the application is made.
THEME_TOKENS = {
    "brandAppName": APP_NAME,
    "brandSpinnerSvg": _SPINNER,
    # Long names would take the room of the chart; the tooltip shows the whole name.
    "echartsOptionsOverrides": {"legend": {"selector": False}},
    "echartsOptionsOverridesByChartType": {
        "echarts_timeseries_bar": {"yAxis": {"axisLabel": {"width": 170, "overflow": "truncate"}}},
        "echarts_timeseries_line": {"legend": {"textStyle": {"width": 190, "overflow": "truncate"}}},
        "echarts_area": {"legend": {"textStyle": {"width": 145, "overflow": "truncate"}}},
    },
}

# One process without Redis or Celery: a query runs in its request, and no answer is older than the data.
CELERY_CONFIG = None
RESULTS_BACKEND = None
RATELIMIT_ENABLED = False
CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 10}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
COMPRESS_REGISTER = False  # on loopback, packing the page's scripts takes longer than sending them

# Without these "the last 3 hours" would end at midnight, before they begin.
DEFAULT_RELATIVE_START_TIME = "now"
DEFAULT_RELATIVE_END_TIME = "now"
