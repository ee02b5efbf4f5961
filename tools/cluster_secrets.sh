#!/bin/sh
# cluster_secrets.sh [FILE] : writes random secrets for docker-compose.cluster.yml to FILE (.env), readable by its owner alone.
# A file that is there stays as it is: the database and the store were made with what it says.
set -eu

file=${1:-.env}

random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

if [ -e "$file" ]; then
    printf '%s\n' "$file is there, and stays as it is." >&2
    exit 0
fi
umask 077
cat >"$file" <<EOF
# Secrets of docker-compose.cluster.yml. Keep this file with the backups, and out of everybody's sight.
POSTGRES_PASSWORD=$(random 24)
STORE_ACCESS_KEY=$(random 10)
STORE_SECRET_KEY=$(random 24)
SECRET_KEY=$(random 32)
# Of the user admin, for the first sign-in. Change it there.
ADMIN_PASSWORD=$(random 12)
EOF
printf '%s\n' "Wrote $file: random secrets, among them the first password of the user admin." >&2
