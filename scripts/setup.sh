#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing (Debian packages; README says why each).  Quiet when nothing is.
#   setup.sh            what the program and its tests need
#   setup.sh --peers    also the libraries that peer adaptors wrap (bench/peers/peer_*.cpp)
#   setup.sh --cross    also what `make test-all` and `make fuzz` need: clang, libFuzzer, qemu, the aarch64
#                       compiler and libraries, Slurm, GNU parallel; and the next
#   setup.sh --page     also what looks at a report (scripts/test_report.sh): Chromium, and from npm, into build/tools,
#                       playwright-core and axe-core
set -eu
packages="gcc g++ make pkg-config libsqlite3-dev sqlite3 libsleef-dev libopenblas-dev liblapacke-dev libyaml-dev
          libjansson-dev libhdf5-dev libcurl4-openssl-dev libhwloc-dev gnuplot-nox fonts-dejavu-core wordnet-base"
if [ "${1:-}" = --cross ]; then
    packages="$packages clang libclang-rt-14-dev llvm qemu-user slurm-wlm munge parallel procps
              gcc-aarch64-linux-gnu libc6-dev-arm64-cross libsleef-dev:arm64 libsqlite3-dev:arm64"
fi
if [ "${1:-}" = --peers ]; then
    packages="$packages $(sed -n 's/^ \* package: \([a-z0-9-]*\).*/\1/p' bench/peers/peer_*.cpp | tr '\n' ' ')"
fi
if [ "${1:-}" = --page ] || [ "${1:-}" = --cross ]; then
    packages="$packages chromium"
    command -v npm >/dev/null || packages="$packages nodejs npm"
fi
# One query for all: a package in the list of installed ones is there.
installed=" $(dpkg-query -W -f='${db:Status-Abbrev} ${binary:Package}\n' 2>/dev/null | sed -n 's/^ii *//p' | sed "s/:$(dpkg --print-architecture 2>/dev/null)\$//" | tr '\n' ' ') "
missing=
for p in $packages; do
    case "$installed" in *" $p "*) ;; *) missing="$missing $p" ;; esac
done
# Where npm cannot have them, the test of reports skips and says so.
page_tools() {
    case "${1:-}" in --page | --cross) ;; *) return 0 ;; esac
    [ -e build/tools/node_modules/axe-core ] && [ -e build/tools/node_modules/playwright-core ] && return 0
    mkdir -p build/tools
    npm install --silent --no-audit --no-fund --prefix build/tools playwright-core@1 axe-core@4 >build/tools/log 2>&1 ||
        echo "npm could not install playwright-core and axe-core (build/tools/log): reports are not looked at" >&2
}
[ -n "$missing" ] || { page_tools "$@"; exit 0; }

if ! command -v apt-get >/dev/null; then
    echo "This machine has no apt-get. Install the equivalents of these Debian packages, then run make again:" >&2
    echo " $missing" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then
        as_root=sudo
    else
        echo "Not root, and no sudo. Ask for these packages, then run make again:" >&2
        echo "  apt-get install$missing" >&2
        exit 1
    fi
fi
echo "installing:$missing"
case "$missing" in *:arm64*) $as_root dpkg --add-architecture arm64 ;; esac
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086
if ! { $as_root apt-get -qq update && $as_root apt-get -qq install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get failed; its output is in $log" >&2
    exit 1
fi
rm -f "$log"
page_tools "$@"
