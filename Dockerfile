# Astro's image of Airflow 3.3.2. It installs packages.txt and requirements.txt and copies the project by itself;
# its PYTHONPATH is the project's folder, so dags/, etl/ and minidata/ can be imported in every component.
FROM astrocrpublic.azurecr.io/runtime:3.3-8-python-3.12
