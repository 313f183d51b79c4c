#!/bin/sh
# Asks the registries for every image that we pin: does it still exist, and has its tag moved?
# Needs Docker with buildx, and a network. Ends with 1 if an image is gone.
set -eu
cd "$(dirname "$0")/.."

gone=0
for image in $(grep -hoE '[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}' \
    docker-compose.override.yml deploy/airflow.yaml deploy/*Dockerfile simulator/Dockerfile | sort -u); do
    pinned=${image#*@}
    tag=${image%@*}
    if ! docker buildx imagetools inspect "${tag%:*}@$pinned" >/dev/null 2>&1; then
        echo "GONE   $image"
        gone=1
        continue
    fi
    now=$(docker buildx imagetools inspect "$tag" --format '{{.Manifest.Digest}}')
    if [ "$now" = "$pinned" ]; then
        echo "same   $tag"
    else
        echo "moved  $tag is $now now"
    fi
done
exit $gone
