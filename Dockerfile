# syntax=docker/dockerfile:1
# Uptier in a container: nothing of it runs as root, and its file system may be read-only.
#     docker build --tag uptier .
# Give it /etc/uptier/uptier.toml, its secrets as files, and with SQLite a volume at /var/lib/uptier.

FROM python:3.13-slim AS build
WORKDIR /tree
COPY pyproject.toml README.md LICENSE requirements.lock ./
COPY policies policies
COPY adapters adapters
COPY connector connector
# The versions of the lock, for what the wheel needs and nothing else.
RUN sed -n 's/^\([A-Za-z0-9._-]*\)\(\[[^]]*\]\)\{0,1\}\(==[^\\]*\).*/\1\3/p' requirements.lock > /constraints.txt \
 && pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && python -m venv /opt/uptier \
 && /opt/uptier/bin/pip install --no-cache-dir --constraint /constraints.txt "$(echo /wheels/uptier-*.whl)[postgres]"

FROM python:3.13-slim
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
