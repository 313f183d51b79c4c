"""The page "Files" in Airflow: the ledger, quarantine and uploads in a browser. HTML made on the server, no scripts.

Beside it, the metrics for Prometheus.
"""

PREFIX = "/mdp"
"""Where the page is on Airflow's server."""
METRICS = "/metrics"
"""Where the metrics for Prometheus are."""
