#!/bin/sh
# Shows a secret of the Docker mode: deploy/secret.sh MDP_METABASE_PASSWORD. Without a name it lists them.
# Needs Docker (or, in CONTAINER_ENGINE, podman) and a platform that was started once.
set -eu
engine=${CONTAINER_ENGINE:-docker}

step=$("$engine" ps -aq --filter label=com.docker.compose.service=migrate | head -n 1)
[ -n "$step" ] || { echo "No platform was started here. Start it with: astro dev start" >&2; exit 1; }
case ${1:-} in
*[!A-Z0-9_]*) echo "$1 is not the name of a secret, such as MDP_METABASE_PASSWORD." >&2; exit 2 ;;
"") exec "$engine" run --rm --network none --volumes-from "$step" --entrypoint ls mini-data-platform/operate /run/mdp ;;
*) exec "$engine" run --rm --network none --volumes-from "$step" --entrypoint cat mini-data-platform/operate "/run/mdp/$1" ;;
esac
