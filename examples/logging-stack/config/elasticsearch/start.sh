# Elasticsearch refuses to run as root; LIBFFI_TMPDIR is needed by its native part.
# A volume is a link in the sandbox, and Elasticsearch grants itself the real path only.
mkdir -p tmp logs
LIBFFI_TMPDIR=$PWD/tmp exec java -Xms256m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xss1m \
  -Djava.awt.headless=true -Dfile.encoding=UTF-8 -Djna.nosys=true -Djava.security.manager=allow \
  -Djava.locale.providers=SPI,COMPAT -Djava.io.tmpdir="$PWD/tmp" \
  -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true -Dio.netty.recycler.maxCapacityPerThread=0 \
  -Dio.netty.allocator.numDirectArenas=0 \
  -Dlog4j.shutdownHookEnabled=false -Dlog4j2.disable.jmx=true -Dlog4j2.formatMsgNoLookups=true \
  -Des.path.home=${vars.elasticsearch_home} -Des.path.conf="$PWD/config" \
  -Des.distribution.flavor=default -Des.distribution.type=tar -Des.bundled_jdk=false \
  -cp "${vars.elasticsearch_home}/lib/*" org.elasticsearch.bootstrap.Elasticsearch -E path.data="$(readlink -f ${volumes.data})"
