# syntax=docker/dockerfile:1
# Uptier in a container: nothing of it runs as root, and its file system may be read-only.
#     docker build --tag uptier .
#     docker build --tag uptier --build-arg BASE=python:3.13-slim@sha256:... .   # the very same base each time
# Give it /etc/uptier/uptier.toml, its secrets as files, and with SQLite a volume at /var/lib/uptier.

ARG BASE=python:3.13-slim
FROM ${BASE} AS build
WORKDIR /tree
COPY pyproject.toml README.md LICENSE config.example.toml requirements.build.lock requirements.runtime.lock ./
COPY policies policies
COPY adapters adapters
COPY connector connector
# Every package, those that build ours too, has the version and the hash of a lock.
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.build.lock \
 && /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && python -m venv /opt/uptier \
 && /opt/uptier/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.runtime.lock \
 && /opt/uptier/bin/pip install --no-cache-dir --no-deps --no-index /wheels/uptier-*.whl

FROM ${BASE}
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/uptier --create-home uptier \
 && chmod 700 /var/lib/uptier
COPY --from=build /opt/uptier /opt/uptier
ENV PATH=/opt/uptier/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    UPTIER_CONFIG=/etc/uptier/uptier.toml
USER 10001:10001
WORKDIR /var/lib/uptier
VOLUME /var/lib/uptier
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
# Unready is no reason to restart: an account whose password was changed is unready too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/readyz', timeout=3)"]
ENTRYPOINT ["uptier"]
CMD ["run"]
