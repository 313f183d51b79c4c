"""The steps of the pipeline, one file each; none of them knows Airflow."""
