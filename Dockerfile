# The image of every role: run, serve, sync, notify.
#
#   docker build --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" --build-arg VERSION=0.1.0 -t catalog-service .
#
# `make check-deploy` executes these lines without an engine (.ci/check_dockerfile.py), twice, and uses the result.
# Tags move: for a build that can be made again, give the base with its digest,
# --build-arg PYTHON_IMAGE=python:3.13-slim-bookworm@sha256:...
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# 1980-01-01, the first day that a wheel can say.
ARG SOURCE_DATE_EPOCH=315532800
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} \
    PYTHONHASHSEED=0 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_REQUIRE_VIRTUALENV=0
WORKDIR /src
COPY .ci/build.lock .ci/runtime.lock .ci/
# Both are cut out of requirements.lock: what builds the wheel, and what it runs with. Wheels only: nothing is compiled.
RUN python -m venv /tools \
    && /tools/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r .ci/build.lock \
    && python -m venv --without-pip /opt/catalog \
    && python -m pip --python /opt/catalog/bin/python install --quiet --no-compile --require-hashes --only-binary :all: -r .ci/runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY schema schema
COPY scrapers scrapers
COPY catalog_service catalog_service
# The modules are compiled here, and never looked at again: the result is read-only.
RUN /tools/bin/python -m hatchling build -t wheel -d /dist \
    && python -m pip --python /opt/catalog/bin/python install --quiet --no-compile --no-index --no-deps /dist/*.whl \
    && /opt/catalog/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/catalog/lib \
    && mkdir /data

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="catalog-service" \
      org.opencontainers.image.description="One versioned catalogue of the network endpoints that Power Automate, Microsoft 365 and Azure need" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN python -m pip uninstall --quiet --yes --root-user-action ignore setuptools wheel pip
COPY --from=build /opt/catalog /opt/catalog
COPY --from=build --chown=10001:10001 /data /data
ENV PATH=/opt/catalog/bin:${PATH} \
    HOME=/tmp \
    MALLOC_ARENA_MAX=2 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CATALOG_HOST=0.0.0.0 \
    CATALOG_DATA_DIR=/data/catalog
USER 10001:10001
WORKDIR /data
# All that is ever written: the embedded server's data, and what is temporary.
VOLUME ["/data", "/tmp"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# Workers have the side port alone (CATALOG_METRICS_PORT).
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import os, sys, http.client as h; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('CATALOG_METRICS_PORT') or os.environ.get('CATALOG_PORT') or 8080), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["catalog-service"]
CMD ["run"]
