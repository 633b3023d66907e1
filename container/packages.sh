#!/bin/sh
# Installs the packages of a lock file into /opt/cellscale, while an image is built: sh packages.sh LOCK
set -eu

apt-get update
apt-get install --yes --no-install-recommends binutils
rm -rf /var/lib/apt/lists/*

python -m venv tools
tools/bin/pip install --no-cache-dir --require-hashes --requirement container-build.txt
python -m venv --without-pip /opt/cellscale
tools/bin/pip --python /opt/cellscale/bin/python install --no-cache-dir --no-compile --only-binary :all: --require-hashes --requirement "$1"
