"""What can only be changed once Superset's application is made: the start page and the theme."""

from flask import Flask

from operate.embedded.superset.inside.start_page import add_start_page


def finish(app: Flask) -> None:
    """Change the application; Superset calls this before it makes its pages."""
    add_start_page(app)
    for theme in ("THEME_DEFAULT", "THEME_DARK"):
        app.config[theme]["token"] |= app.config["THEME_TOKENS"]
