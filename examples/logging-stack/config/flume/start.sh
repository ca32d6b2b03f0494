exec java -Xms64m -Xmx160m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.awt.headless=true \
  -Dlog4j.configuration=log4j.properties -cp ".:${vars.kafka_flume_home}/lib/*" \
  org.apache.flume.node.Application --no-reload-conf -n agent -f flume.conf
