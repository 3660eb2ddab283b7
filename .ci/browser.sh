# Sourced by .ci/run: makes sure that there is a Chromium for the page's tests, or returns 1.
# It takes the one that CHROMIUM names, then one on the PATH, then Debian's package.
[ -z "${CHROMIUM:-}" ] || return 0
command -v chromium >/dev/null && return
{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >/dev/null 2>&1
command -v chromium >/dev/null
