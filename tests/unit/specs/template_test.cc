#include "specs/template.h"

#include <gtest/gtest.h>

namespace banyan::specs {
namespace {

View view() {
  View v;
  for (std::uint32_t i = 0; i < 3; ++i) {
    InstanceView instance;
    instance.index = i;
    instance.name = "zk-" + std::to_string(i);
    instance.host = "10.0.0." + std::to_string(i + 1);
    instance.ports = {{"client", static_cast<std::uint16_t>(2181 + i)},
                      {"quorum", static_cast<std::uint16_t>(2888 + i)}};
    instance.volumes = {{"data", "/sandbox/data"}};
    v.peers.push_back(instance);
  }
  v.instance = v.peers[1];
  v.endpoints = {{"kafka.endpoints.broker", {"10.0.0.1:9092", "[::1]:9093"}}, {"es.endpoints.http", {}}};
  return v;
}

std::string rendered(std::string_view text) {
  const auto out = render_template(text, view());
  return out ? *out : "error: " + out.error().message;
}

TEST(Template, KnowsItsInstance) {
  EXPECT_EQ(rendered("${instance.index} ${instance.number} ${instance.name} ${instance.host}"), "1 2 zk-1 10.0.0.2");
  EXPECT_EQ(rendered("${ports.client}:${volumes.data}"), "2182:/sandbox/data");
}

TEST(Template, ListsPeers) { EXPECT_EQ(rendered("${peers.client}"), "10.0.0.1:2181,10.0.0.2:2182,10.0.0.3:2183"); }

TEST(Template, JoinsPeersInAnyForm) {
  EXPECT_EQ(rendered("${join peers , {name}}"), "zk-0,zk-1,zk-2");
  EXPECT_EQ(rendered("${join peers \"; \" \"{host} is {index}\"}"), "10.0.0.1 is 0; 10.0.0.2 is 1; 10.0.0.3 is 2");
  EXPECT_EQ(rendered(R"(${join peers \n server.{number}={host}:{ports.quorum};{ports.client}})"),
            "server.1=10.0.0.1:2888;2181\nserver.2=10.0.0.2:2889;2182\nserver.3=10.0.0.3:2890;2183");
}

TEST(Template, PicksFromEndpoints) {
  EXPECT_EQ(rendered("${kafka.endpoints.broker}"), "10.0.0.1:9092,[::1]:9093");
  EXPECT_EQ(rendered("${kafka.endpoints.broker.first}"), "10.0.0.1:9092");
  EXPECT_EQ(rendered("${kafka.endpoints.broker.host}"), "10.0.0.1");
  EXPECT_EQ(rendered("${kafka.endpoints.broker.port}"), "9092");
  EXPECT_EQ(rendered("${kafka.endpoints.broker.url}"), "http://10.0.0.1:9092");
  EXPECT_EQ(rendered("<${es.endpoints.http}>"), "<>");
}

TEST(Template, LeavesDollarsAlone) { EXPECT_EQ(rendered("$HOME $5 $ $$ $${HOME} 100$"), "$HOME $5 $ $ ${HOME} 100$"); }

TEST(Template, SaysWhatItDoesNotKnow) {
  EXPECT_EQ(rendered("${ports.admin}"), "error: ${ports.admin}: zk-1 has no port \"admin\"");
  EXPECT_EQ(rendered("${join peers , {ports.x}}"), "error: ${join peers , {ports.x}}: zk-0 has no port \"x\"");
  EXPECT_EQ(rendered("${es.endpoints.http.first}"),
            "error: ${es.endpoints.http.first}: es.endpoints.http has no address yet");
  EXPECT_EQ(rendered("${nginx.endpoints.http}"), "error: ${nginx.endpoints.http}: no endpoint \"http\" of \"nginx\"");
  EXPECT_EQ(rendered("a ${ports.client"), "error: a ${ is never closed");
  EXPECT_EQ(rendered("${}").substr(0, 17), "error: ${}: known");
}

TEST(Template, CannotGrowWithoutBound) {
  auto many = view();
  many.peers.resize(1000, many.peers[0]);
  const auto out = render_template("${join peers , " + std::string(100'000, 'x') + "}", many);
  ASSERT_FALSE(out);
  EXPECT_TRUE(out.error().message.ends_with("the rendered text is longer than 16 MiB"));
}

TEST(References, AreFoundWithTheirPlaces) {
  const auto found = references("a ${ports.p} $$ ${x} ${instance.name}");
  ASSERT_EQ(found.found.size(), 2u);
  EXPECT_EQ(found.found[0].expression, "ports.p");
  EXPECT_EQ(found.found[0].offset, 2u);
  EXPECT_EQ(found.found[0].length, 10u);
  EXPECT_EQ(found.found[1].offset, 21u);
  ASSERT_EQ(found.errors.size(), 1u);
  EXPECT_EQ(found.errors[0].first, 16u);
}

}  // namespace
}  // namespace banyan::specs
