"""The configuration of Superset, read by Superset itself in its own environment; secrets come as variables."""

import os
from typing import Any

SECRET_KEY = os.environ["MDP_SUPERSET_SECRET_KEY"]  # it encrypts saved passwords: a new one loses them
SQLALCHEMY_DATABASE_URI = os.environ["MDP_SUPERSET_DATABASE_URI"]
SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 4, "max_overflow": 8, "pool_pre_ping": True}

APP_NAME = "Mini Data Platform"
AUTH_ROLE_PUBLIC = "Public"
PUBLIC_ROLE_LIKE = "Public"  # the built-in role: reads published dashboards, nothing else
FAB_UPDATE_PERMS = False  # the first run does it; at every start it costs seconds
FEATURE_FLAGS = {"DASHBOARD_RBAC": True, "ALERT_REPORTS": False}

WTF_CSRF_ENABLED = True
SESSION_COOKIE_SAMESITE = "Lax"
TALISMAN_ENABLED = True
TALISMAN_CONFIG: dict[str, Any] = {
    "content_security_policy": {
        "default-src": ["'self'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}

# One process, no Redis, no Celery: queries run in the request, and answers are never older than the data.
CELERY_CONFIG = None
RESULTS_BACKEND = None
RATELIMIT_ENABLED = False
CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 10}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}

# Without these "the last 3 hours" ends at midnight, before it begins.
DEFAULT_RELATIVE_START_TIME = "now"
DEFAULT_RELATIVE_END_TIME = "now"
