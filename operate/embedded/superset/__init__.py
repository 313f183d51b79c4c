"""Superset without Docker: an environment of its own, its database in our PostgreSQL, one process on loopback.

`environment` makes the environment, `setup` the tables, roles and the administrator, `service` runs it. Superset's
own Python, which has none of our packages, runs or reads the files in `inside/`.
"""
