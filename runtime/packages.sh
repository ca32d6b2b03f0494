# shellcheck shell=bash disable=SC2034
# What has to be installed, and how: sourced by examples/logging-stack/run and tests/run.

# To build Banyan and its example. With ccache and mold from the first build on, a later one has nothing to do again.
BUILD_PACKAGES=(
  g++ cmake ninja-build pkg-config ccache mold
  libboost1.81-dev libboost-json1.81-dev
  libprotobuf-dev libprotoc-dev protobuf-compiler libgrpc++-dev protobuf-compiler-grpc
  libyaml-cpp-dev libsqlite3-dev libarchive-dev libcurl4-openssl-dev libssl-dev librdkafka-dev
  libexpected-dev libspdlog-dev libfmt-dev libcli11-dev
)
# To run the logging stack.
STACK_PACKAGES=(openjdk-17-jre-headless maven curl jq procps)
# To run the tests.
TEST_PACKAGES=(libgtest-dev libgmock-dev python3 git clang-format-19)
# To run `tests/run --all`.
CLANG_PACKAGES=(clang-19 clang-tidy-19 libclang-rt-19-dev)

# missing_packages NAME… — those that dpkg does not list as installed, one a line.
missing_packages() {
  local name
  for name in "$@"; do
    # shellcheck disable=SC2016  # dpkg-query's own ${…}
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || echo "$name"
  done
}

# have_program_of NAME — true when the program that NAME is wanted for is there from elsewhere.
have_program_of() {
  case $1 in
    openjdk-17-jre-headless) command -v java ;;
    maven) command -v mvn ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

# install_packages NAME… — installs what is missing by apt-get; touches nothing (and needs no network) when all is there.
install_packages() {
  local -a missing=() apt=(apt-get)
  local name
  while read -r name; do
    [ -z "$name" ] || have_program_of "$name" || missing+=("$name")
  done < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || {
      echo "These packages are missing; install them and start again:" >&2
      echo "  sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
      return 1
    }
    apt=(sudo -n apt-get)
  fi
  if dpkg-query -W libboost1.74-dev >/dev/null 2>&1; then
    echo "note: Debian's libboost1.81-dev replaces the installed libboost1.74-dev"
  fi
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Only a machine that has never seen the package lists, or whose lists are too old, needs the update.
  "${apt[@]}" -qq install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 && return 0
  "${apt[@]}" -qq update
  "${apt[@]}" -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}
