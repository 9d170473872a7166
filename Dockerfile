# syntax=docker/dockerfile:1
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md ./
RUN python -m venv /opt/tapedeck && /opt/tapedeck/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY actors actors
COPY clients clients
COPY server server
RUN /opt/tapedeck/bin/pip install --no-cache-dir --no-build-isolation --no-deps .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data tapedeck && install -d -o tapedeck -m 0700 /data
COPY --from=build /opt/tapedeck /opt/tapedeck
COPY config.toml /etc/tapedeck/config.toml
ENV PATH=/opt/tapedeck/bin:$PATH TAPEDECK_CONFIG=/etc/tapedeck/config.toml TAPEDECK_DATA_DIR=/data HOST=0.0.0.0
USER tapedeck
VOLUME /data
EXPOSE 3002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT', '3002')}/healthz\", timeout=2)"]
CMD ["tapedeck", "serve"]
