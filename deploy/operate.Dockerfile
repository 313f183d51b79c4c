# The command `mdp` in a container, for the steps of the Docker mode that set things up: roles and migrations,
# buckets and users, dashboards. Build from the root of the project: docker build -f deploy/operate.Dockerfile .
FROM docker.io/library/python:3.12-slim-trixie@sha256:2fe5997d249a808b8eeea52c58a1dbffbba28754dc11699ef5c029f2d818ce79 AS packages
COPY deploy/requirements/operate.txt /requirements.txt
RUN python -m venv --without-pip /app/env \
    && python -m pip --python /app/env/bin/python install --no-cache-dir --require-hashes -r /requirements.txt

FROM docker.io/library/python:3.12-slim-trixie@sha256:2fe5997d249a808b8eeea52c58a1dbffbba28754dc11699ef5c029f2d818ce79
COPY --from=packages /app/env /app/env
COPY dashboards /app/dashboards
COPY datasets /app/datasets
COPY etl /app/etl
COPY minidata /app/minidata
COPY bi /app/bi
COPY operate /app/operate
COPY simulator /app/simulator
COPY warehouse /app/warehouse
ENV PATH=/app/env/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m compileall -q /app/minidata /app/bi /app/operate
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "operate.cli"]
CMD ["--help"]
