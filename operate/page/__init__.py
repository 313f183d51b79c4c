"""The page "Files" in Airflow: the ledger, quarantine and uploads in a browser. HTML made on the server, no scripts."""

PREFIX = "/mdp"
"""Where the page is on Airflow's server."""
