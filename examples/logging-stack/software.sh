# shellcheck shell=bash
# The stack's software: jars from Maven Central, and an Elasticsearch home put together from its jars. Sourced by `run`.
#
# Everything lands in the cache, outside the clone, under a name that carries the sha256 of the POM it came from: with
# the folder there, Maven is not called, and nothing needs the network. Tasks run as another user than the clone's
# owner, so the cache is readable for all when root fills it.

HERE=${HERE:?the folder of the example}
CACHE=${CACHE:?where downloads are kept}
ELASTICSEARCH_VERSION=7.17.29

# with_lock NAME COMMAND… — one at a time on this machine.
with_lock() {
  local name=$1
  shift
  (
    flock 9
    "$@"
  ) 9>"$CACHE/$name.lock"
}

# cached POM — the folder that POM's jars are kept in.
cached() { echo "$CACHE/$1-$(sha256sum "$HERE/maven/$1.xml" | cut -c1-16)"; }

# is_cached POM
is_cached() { [ -e "$(cached "$1")/complete" ]; }

# fetch_jars POM FOLDER — every jar that POM names, with what those need.
fetch_jars() {
  local log=$CACHE/maven-$1.log
  echo "downloading the jars of maven/$1.xml"
  mvn -B -ntp org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$2" -f "$HERE/maven/$1.xml" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    echo "Maven could not fetch the jars; its whole log is $log" >&2
    return 1
  }
}

# keep POM COMMAND… — fills POM's folder by COMMAND FOLDER under a temporary name, then renames: complete or absent.
keep() {
  local pom=$1 folder filling
  folder=$(cached "$pom")
  shift
  ! is_cached "$pom" || return 0
  filling=$(mktemp -d "$CACHE/filling.XXXXXX")
  "$@" "$filling" || { rm -rf "$filling"; return 1; }
  chmod -R a+rX "$filling"
  touch "$filling/complete"
  rm -rf "$folder"
  mv "$filling" "$folder"
}

kafka_flume_home() { fetch_jars kafka-flume "$1/lib"; }

# module HOME NAME CLASS JAR… — moves the jars out of lib into a module of their own, with the two files that
# Elasticsearch wants beside them and the jars do not contain.
module() {
  local home=$1 name=$2 class=$3 folder=$1/modules/$2 jar
  shift 3
  mkdir -p "$folder"
  for jar in "$@"; do
    # shellcheck disable=SC2086  # a pattern
    mv "$home"/lib/$jar "$folder/"
  done
  cp "$HERE/modules/$name.policy" "$folder/plugin-security.policy"
  cat >"$folder/plugin-descriptor.properties" <<END
description=$name
name=$name
version=$ELASTICSEARCH_VERSION
classname=$class
java.version=1.8
elasticsearch.version=$ELASTICSEARCH_VERSION
extended.plugins=
has.native.controller=false
licensed=false
type=isolated
END
}

elasticsearch_home() {
  local home=$1
  fetch_jars elasticsearch "$home/lib" || return 1
  mkdir -p "$home"/{lib/tools,plugins,config,bin}
  module "$home" transport-netty4 org.elasticsearch.transport.Netty4Plugin \
    'netty-*.jar' 'transport-netty4-client-*.jar'
  module "$home" reindex org.elasticsearch.reindex.ReindexPlugin \
    'reindex-client-*.jar' 'commons-codec-*.jar' 'commons-logging-*.jar' 'elasticsearch-rest-client-*.jar' \
    'elasticsearch-ssl-config-*.jar' 'httpasyncclient-*.jar' 'httpclient-*.jar' 'httpcore-[0-9]*.jar' 'httpcore-nio-*.jar'
}

# fetch_software — what the two POMs name, once.
fetch_software() {
  with_lock kafka-flume keep kafka-flume kafka_flume_home
  with_lock elasticsearch keep elasticsearch elasticsearch_home
}
