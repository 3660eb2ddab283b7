# Sourced by .ci/run: Chromium for the tests of the page, from Debian's packages, or it returns 1.
command -v chromium >/dev/null && return
{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >/dev/null 2>&1
command -v chromium >/dev/null
