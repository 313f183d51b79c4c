"""What Airflow loads at its start: this folder is its `plugins_folder`."""
