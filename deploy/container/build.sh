#!/bin/sh
# usage: build.sh FOLDER: install Tidegate into the Debian system that this runs in, as root.
#
# FOLDER holds wheels of Tidegate (all of dist/ may lie there; one must fit this Python) and run.lock, the dependencies with
# their hashes. The Containerfile runs it in an image, tools/container_run.py in a plain chroot. What is
# fetched by pip can lie in FOLDER as well: PIP_NO_INDEX=1.
set -eu
folder=$1
: "${TIDEGATE_UID:=10001}"
export DEBIAN_FRONTEND=noninteractive PIP_FIND_LINKS="$folder" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

apt-get update -qq
apt-get install -y -qq --no-install-recommends python3 python3-venv ca-certificates >/dev/null

python3 -m venv /opt/tidegate
/opt/tidegate/bin/pip install --quiet --require-hashes --only-binary :all: -r "$folder/run.lock"
# By name, and from nowhere else: of several wheels pip takes the newest that fits, and a compiled one before a pure one.
/opt/tidegate/bin/pip install --quiet --no-index --no-deps --pre tidegate

# Nothing that installs anything stays: what runs needs no more than Python. Modules are compiled now: nobody can write later.
/opt/tidegate/bin/pip uninstall --quiet --yes pip setuptools
apt-get purge -y -qq python3-venv python3-pip-whl python3-setuptools-whl >/dev/null
apt-get autoremove -y -qq --purge >/dev/null
find /opt/tidegate -type d \( -name tests -o -name test \) -path '*/site-packages/*' -prune -exec rm -rf {} +
python3 -m compileall -q /opt/tidegate/lib || true
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* /usr/share/doc /usr/share/man /usr/share/locale /tmp/pip-*

# A number that Kubernetes' runAsNonRoot can see; it owns its data folder and nothing else.
if ! getent passwd tidegate >/dev/null; then
    groupadd --system --gid "$TIDEGATE_UID" tidegate
    useradd --system --uid "$TIDEGATE_UID" --gid "$TIDEGATE_UID" --home-dir /var/lib/tidegate --shell /usr/sbin/nologin tidegate
fi
install -d -o tidegate -g tidegate -m 0700 /var/lib/tidegate
install -d -m 0755 /etc/tidegate /usr/local/lib/tidegate
install -m 0755 "$folder/healthy.py" /usr/local/lib/tidegate/healthy.py
/opt/tidegate/bin/tidegate --help >/dev/null
