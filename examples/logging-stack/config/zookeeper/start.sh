# The server finds its own number in a file beside its data.
echo ${instance.number} >${volumes.data}/myid
exec java -Xms64m -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.awt.headless=true \
  -Dlog4j.configuration=log4j.properties -cp ".:${vars.kafka_flume_home}/lib/*" \
  org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg
