# syntax=docker/dockerfile:1.7
# One build, two images: `worker` carries the Swift toolchain, because it compiles job scripts; `slim`
# is for the head and the gateway. Both run as 10001 and work with a read-only root file system.
ARG SWIFT_VERSION=6.3

FROM swift:${SWIFT_VERSION}-bookworm AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libhiredis-dev libcurl4-openssl-dev zlib1g-dev libopenblas-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The cache keeps fetched packages and compiled objects between builds on one machine.
RUN --mount=type=cache,target=/src/.build \
    script/build && mkdir /opt/manta && cp -a bin lib /opt/manta/

FROM swift:${SWIFT_VERSION}-bookworm AS worker
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libhiredis-dev libcurl4-openssl-dev zlib1g-dev libopenblas-dev libopenblas0 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 10001 -g 10001 /var/lib/manta
COPY --from=build /opt/manta /opt/manta
ENV PATH=/opt/manta/bin:$PATH HOME=/var/lib/manta
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/manta/bin/manta"]
CMD ["worker"]

FROM swift:${SWIFT_VERSION}-bookworm-slim AS slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates libhiredis0.14 libcurl4 zlib1g libopenblas0 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 10001 -g 10001 /var/lib/manta
COPY --from=build /opt/manta/bin /opt/manta/bin
ENV PATH=/opt/manta/bin:$PATH HOME=/var/lib/manta
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/manta/bin/manta"]
CMD ["head"]
