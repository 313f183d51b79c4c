"""Dashboards as code: one neutral definition, drawn by Superset or by Metabase.

`definition` reads `dashboards/*.yaml`, `views` knows the reading views that they are built on, `sql` says what a
tile asks, and one package for each tool turns the definition into that tool's own objects.
"""
