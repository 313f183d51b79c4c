"""Airflow without Docker: its components as processes, and the executor of its tasks."""
