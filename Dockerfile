# Recto's image: the Backend by default, the Worker with `python ocr_worker.py run`. docker-compose.yml runs both.
#
# The base is pinned by tag, which moves with Debian's and Python's security fixes. To pin the very bytes, append the digest that
# `docker buildx imagetools inspect python:3.12-slim-bookworm` prints; none is written here that was not checked against a registry.

FROM python:3.12-slim-bookworm AS packages
RUN python -m venv /opt/recto
COPY requirements.txt requirements-cluster.txt ./
# For a cluster (docs/scaling.md): docker build --build-arg EXTRA_REQUIREMENTS=requirements-cluster.txt
ARG EXTRA_REQUIREMENTS=
RUN --mount=type=cache,target=/root/.cache/pip \
    for file in requirements.txt $EXTRA_REQUIREMENTS; do \
        /opt/recto/bin/pip install --quiet --no-input --disable-pip-version-check -r "$file" || exit 1; \
    done

FROM python:3.12-slim-bookworm
# The languages of `make setup` (tools/install_system_packages.sh). More: docker-compose.yml says how to mount traineddata.
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        tesseract-ocr tesseract-ocr-osd tesseract-ocr-eng tesseract-ocr-deu tesseract-ocr-fra tesseract-ocr-ces \
        tesseract-ocr-spa tesseract-ocr-ita tesseract-ocr-script-frak \
    && rm -rf /var/lib/apt/lists/*
# A new named volume takes over the owner of the folder that it is mounted on.
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin recto \
    && install -d -o recto -g recto -m 0750 /var/lib/recto
COPY --from=packages /opt/recto /opt/recto
WORKDIR /app
COPY . .
ENV PATH=/opt/recto/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RECTO_SERVER_HOST=0.0.0.0 \
    RECTO_FILE_STORAGE_PATH=/var/lib/recto
# Compiled here, since the running container cannot write beside its modules.
RUN python -m compileall -q .
USER recto
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s CMD ["python", "-m", "deploy.health", "backend"]
CMD ["python", "app.py"]
