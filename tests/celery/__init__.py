"""The pipeline on Airflow's CeleryExecutor: a real broker, two workers, two schedulers, two triggerers."""
