# Sourced by .ci/run: makes sure that there is a Chromium for the page's tests, or returns 1.
# It takes the one that CHROMIUM names, or Debian's headless shell, which draws no window and needs a third less CPU time,
# or a whole Chromium.
[ -z "${CHROMIUM:-}" ] || return 0
command -v chromium-headless-shell >/dev/null && return
apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1"; }
{ apt-get update && apt_install chromium-headless-shell; } >/dev/null 2>&1 && return
command -v chromium >/dev/null || apt_install chromium >/dev/null 2>&1
