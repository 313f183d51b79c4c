"""What Superset's own Python reads and runs. It has none of our packages, so nothing here imports any."""
