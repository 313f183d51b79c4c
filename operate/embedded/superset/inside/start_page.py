"""The page at `/`: the published dashboards, each with the question that it answers."""

from pathlib import Path

from flask import Flask, g, render_template_string
from superset import db, security_manager

_TEMPLATE = Path(__file__).with_name("start_page.html")


def add_start_page(app: Flask) -> None:
    """Replace Superset's page, which sends visitors to the log-in, by ours."""
    from superset.models.dashboard import Dashboard  # noqa: PLC0415  needs the application

    template = _TEMPLATE.read_text(encoding="utf-8")

    def index() -> str:
        public = security_manager.get_public_role()
        query = db.session.query(Dashboard).filter(Dashboard.published, Dashboard.roles.contains(public))
        dashboards = query.order_by(Dashboard.dashboard_title).all()
        return render_template_string(template, dashboards=dashboards, user=None if g.user.is_anonymous else g.user)

    app.view_functions["SupersetIndexView.index"] = index
