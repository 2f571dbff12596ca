#!/bin/sh
# Sees to it that a Chromium is there: installs Debian's where that is allowed, else says what to do.
set -eu
for name in chromium chromium-headless-shell chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "make test-browser needs a Chromium and cannot install one here (that takes root and" >&2
    echo "Debian's apt-get): install your system's package of chromium, then run it again" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null
