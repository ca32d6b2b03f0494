exec java -Xms128m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.awt.headless=true \
  -Dlog4j.configuration=log4j.properties -Dkafka.logs.dir=. -cp ".:${vars.kafka_flume_home}/lib/*" \
  kafka.Kafka server.properties
