#include "runtime/sdk/json.h"

#include <gmock/gmock.h>

#include "banyan/handover.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "runtime/sdk/base64.h"

namespace banyan::sdk {
namespace {

using testing::HasSubstr;

Handover some_handover() {
  Handover handover;
  handover.set_version(12);
  handover.set_stack("logging");
  handover.set_node("kafka");
  handover.set_framework_id("logging.kafka.1");
  handover.set_role("logging.kafka");
  handover.add_masters("m:5050");
  (*handover.mutable_files())["b"] = std::string("\0\xff", 2);
  (*handover.mutable_files())["a"] = "text";
  (*handover.mutable_restarts())["broker"] = 3;
  handover.set_drain(true);
  return handover;
}

TEST(AMessageAsJson, HasSnakeCaseNamesAndPlainNumbers) {
  EXPECT_EQ(to_json(some_handover()),
            R"({"version":12,"stack":"logging","node":"kafka","framework_id":"logging.kafka.1","role":"logging.kafka",)"
            R"("masters":["m:5050"],"files":{"a":"dGV4dA==","b":"AP8="},"drain":true,"restarts":{"broker":3}})");
}

TEST(AMessageAsJson, ComesBackTheSame) {
  Handover copy;
  ASSERT_TRUE(from_json(to_json(some_handover()), copy));
  EXPECT_EQ(to_json(copy), to_json(some_handover()));
}

TEST(AMessageAsJson, CarriesEnumsAndFractions) {
  mesos::v1::TaskStatus status;
  status.mutable_task_id()->set_value("t");
  status.set_state(mesos::v1::TASK_RUNNING);
  status.set_timestamp(1.5);
  const auto text = to_json(status);
  EXPECT_THAT(text, HasSubstr(R"("state":"TASK_RUNNING")"));
  mesos::v1::TaskStatus copy;
  ASSERT_TRUE(from_json(text, copy));
  EXPECT_EQ(copy.state(), mesos::v1::TASK_RUNNING);
  EXPECT_EQ(copy.timestamp(), 1.5);
}

TEST(JsonForAMessage, MayHaveNumbersAsTextUnknownFieldsAndNulls) {
  Endpoint endpoint;
  ASSERT_TRUE(from_json(R"({"name":"client","later":{"x":1},"service_name":null})", endpoint));
  EXPECT_FALSE(endpoint.has_service_name());
  ServerStatus server;
  ASSERT_TRUE(from_json(R"({"task_id":"t","name":"n","state":"s","pid":"12"})", server));
  EXPECT_EQ(server.pid(), 12u);
}

TEST(JsonForAMessage, IsRefusedWithTheNameOfTheField) {
  const auto refusal = [](const char* text) {
    ChildStatus status;
    const auto parsed = from_json(text, status);
    return parsed ? std::string("taken") : parsed.error().message;
  };
  EXPECT_THAT(refusal(R"({"serving":"yes"})"), HasSubstr("banyan.ChildStatus.serving is not true or false"));
  EXPECT_THAT(refusal(R"({"serving":true,"endpoints":{}})"), HasSubstr("endpoints is not an array"));
  EXPECT_THAT(refusal(R"({"serving":true,"handover_version":-1})"), HasSubstr("handover_version"));
  EXPECT_THAT(refusal(R"({"serving":true,"handover_version":1.5})"), HasSubstr("handover_version"));
  EXPECT_THAT(refusal(R"({"reason":"x"})"), HasSubstr("serving"));
  EXPECT_THAT(refusal("{"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("[]"), HasSubstr("not a JSON object"));
}

TEST(Base64, GoesBothWaysAndRefusesGarbage) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_decode("Zm8"), "fo");
  EXPECT_EQ(base64_decode("Z"), std::nullopt);
  EXPECT_EQ(base64_decode("Zm-8"), std::nullopt);
}

}  // namespace
}  // namespace banyan::sdk
