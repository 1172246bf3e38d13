#!/bin/sh
# Makes the secrets that compose.yaml hands over as files; what is there stays. Run once, as root.
# Group 8470 is Linli's in the images: what must read a secret is in it, nobody else on this machine need be.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
for name in postgres influx influx-admin grafana; do
  if [ ! -s "secrets/$name" ]; then
    head -c 32 /dev/urandom | base64 | tr -d '+/=\n' > "secrets/$name.new"
    mv "secrets/$name.new" "secrets/$name"
  fi
  chgrp 8470 "secrets/$name"
  chmod 440 "secrets/$name"
done
