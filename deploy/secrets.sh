#!/bin/sh
# The first step of the Docker mode: gives each service its secrets, as files in a volume that only it mounts.
# Secrets set in .env are used; empty ones are made at random, once, and kept in the volume `all`.
# There is no default password: the services that wait for this step do not start without it.
set -eu
umask 022 # the volumes protect the files; in them, each service reads as its own user

root=${1:-/secrets}
all=$root/all

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

random() { # of letters and digits, which no URL, shell or configuration file misreads
    if [ "$1" = fernet ]; then # the form that Airflow's encryption needs: 32 bytes
        head -c 32 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'
    else
        od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
    fi
}

keep() { # $1: name, $2: bytes of a random one (or fernet), $3: least length
    eval "value=\${$1-}"
    if [ -z "$value" ] && [ -s "$all/$1" ]; then return; fi
    [ -n "$value" ] || value=$(random "$2")
    case $value in *"
"*) die "$1 in .env has more than one line." ;; esac
    [ "${#value}" -ge "$3" ] || die "$1 in .env is shorter than $3 characters. Make it longer, or leave it empty to get a random one."
    printf '%s' "$value" >"$all/$1.new"
    mv "$all/$1.new" "$all/$1" # never half written, whenever this is killed
}

give() { # $1: the service, then the names that it gets, and no others
    to=$root/$1
    shift
    mkdir -p "$to"
    for file in "$to"/*; do
        [ ! -f "$file" ] || rm "$file"
    done
    for name; do cp "$all/$name" "$to/$name"; done
}

read_secret() { cat "$all/$1"; }

quoted() { # for a connection string of PostgreSQL
    printf "'%s'" "$(read_secret "$1" | sed "s/[\\\\']/\\\\&/g")"
}

mkdir -p "$all"
for name in MDP_ADMIN_PASSWORD MDP_OWNER_PASSWORD MDP_LOADER_PASSWORD MDP_BI_PASSWORD MDP_EVENTS_PASSWORD \
    MDP_AIRFLOW_DATABASE_PASSWORD MDP_AIRFLOW_PASSWORD MDP_AIRFLOW_SECRET_KEY MDP_AIRFLOW_JWT_SECRET \
    MDP_METABASE_DATABASE_PASSWORD MDP_METABASE_PASSWORD MDP_METABASE_ENCRYPTION_KEY \
    MDP_S3_ADMIN_SECRET_ACCESS_KEY MDP_S3_SECRET_ACCESS_KEY MDP_GENERATOR_SECRET_ACCESS_KEY; do
    keep "$name" 32 8
done
for name in MDP_S3_ADMIN_ACCESS_KEY_ID MDP_S3_ACCESS_KEY_ID MDP_GENERATOR_ACCESS_KEY_ID; do
    keep "$name" 10 3
done
keep MDP_AIRFLOW_FERNET_KEY fernet 44

give warehouse MDP_ADMIN_PASSWORD
give pipeline MDP_LOADER_PASSWORD MDP_S3_ACCESS_KEY_ID MDP_S3_SECRET_ACCESS_KEY
give generator MDP_GENERATOR_ACCESS_KEY_ID MDP_GENERATOR_SECRET_ACCESS_KEY
give metabase MDP_METABASE_DATABASE_PASSWORD MDP_METABASE_ENCRYPTION_KEY
give minio
# The server removes one pair of quotes from each value, whatever is between them.
cat >"$root/minio/minio.env" <<END
MINIO_ROOT_USER="$(read_secret MDP_S3_ADMIN_ACCESS_KEY_ID)"
MINIO_ROOT_PASSWORD="$(read_secret MDP_S3_ADMIN_SECRET_ACCESS_KEY)"
MINIO_NOTIFY_POSTGRES_CONNECTION_STRING_INBOX="host=warehouse port=5432 dbname=warehouse sslmode=disable search_path=mdp user=mdp_events password=$(quoted MDP_EVENTS_PASSWORD)"
END

if [ -d "$root/airflow" ]; then # Airflow of deploy/compose.yaml; under Astro it has a database of its own
    give airflow MDP_AIRFLOW_DATABASE_PASSWORD MDP_AIRFLOW_FERNET_KEY MDP_AIRFLOW_SECRET_KEY MDP_AIRFLOW_JWT_SECRET
    printf 'postgresql+psycopg2://airflow:%s@%s/airflow' \
        "$(read_secret MDP_AIRFLOW_DATABASE_PASSWORD | od -An -v -tx1 | tr -d '\n' | tr ' ' '%')" \
        postgres:5432 >"$root/airflow/sql_alchemy_conn"
    printf '{"admin": "%s"}' "$(read_secret MDP_AIRFLOW_PASSWORD | sed 's/[\\"]/\\&/g')" >"$root/airflow/passwords.json"
fi
echo "Every service has its secrets."
