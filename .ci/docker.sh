# Sourced by .ci/run. It gets Docker and the two images of the SAM CLI ready, or returns 1 and says in $WHY why not.
# It installs what is missing from Debian's packages. At exit it stops the daemon if it started one.
RUN_IMAGE=public.ecr.aws/lambda/python:3.13-x86_64
BUILD_IMAGE=public.ecr.aws/sam/build-python3.13:latest-x86_64
LOG=$(mktemp)
DOCKERD=

stop_docker() {
  [ -z "$DOCKERD" ] || { kill "$DOCKERD" && wait "$DOCKERD"; } >>"$LOG" 2>&1 || true
  rm -f "$LOG"
}
trap stop_docker EXIT

install_docker() {
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y docker.io debootstrap; } >>"$LOG" 2>&1
}

start_docker() {
  docker info >>"$LOG" 2>&1 && return
  command -v dockerd >>"$LOG" && command -v debootstrap >>"$LOG" || install_docker || return 1
  docker info >>"$LOG" 2>&1 && return  # the package has started it
  dockerd >>"$LOG" 2>&1 &
  DOCKERD=$!
  for _ in $(seq 60); do
    docker info >>"$LOG" 2>&1 && return
    sleep 0.5
  done
  return 1
}

have_images() { docker image inspect "$RUN_IMAGE" "$BUILD_IMAGE" >>"$LOG" 2>&1; }

pull_images() {
  timeout 300 docker pull --quiet "$RUN_IMAGE" >>"$LOG" 2>&1 &&
    timeout 900 docker pull --quiet "$BUILD_IMAGE" >>"$LOG" 2>&1
}

# Without a registry: a script that makes stand-ins for both images. SAM_IMAGES_SCRIPT names it; otherwise it is looked
# for near this checkout and near the repository that it was cloned from.
make_images() {
  local origin script
  origin=$(git config --get remote.origin.url)
  script=${SAM_IMAGES_SCRIPT:-$(find .. ${origin:+"$origin/.."} -maxdepth 3 \
    -name lambda-base-image.sh -perm -u+x -print -quit 2>>"$LOG")}
  [ -n "$script" ] || return 1
  command -v debootstrap >>"$LOG" || install_docker || return 1
  "$script" >>"$LOG" 2>&1
}

# AWS's image has make. A stand-in gets this machine's make, which needs nothing but the C library.
add_make() {
  local folder
  docker run --rm --entrypoint sh "$BUILD_IMAGE" -c 'command -v make' >>"$LOG" 2>&1 && return
  folder=$(mktemp -d)
  cp "$(command -v make)" "$folder/make" &&
    printf 'FROM %s\nCOPY make /usr/bin/make\n' "$BUILD_IMAGE" >"$folder/Dockerfile" &&
    DOCKER_BUILDKIT=0 docker build --quiet --tag "$BUILD_IMAGE" "$folder" >>"$LOG" 2>&1
  local built=$?
  rm -rf "$folder"
  return "$built"
}

WHY=
start_docker || WHY="Docker cannot be installed or started here"
[ -n "$WHY" ] || have_images || pull_images || make_images || WHY="the images of the SAM CLI cannot be had"
[ -n "$WHY" ] || add_make || WHY="the build image lacks make"
[ -z "$WHY" ] || tail -n 5 "$LOG" >&2
[ -z "$WHY" ]
