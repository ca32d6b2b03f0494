// Resources on the wire: both of Mesos' ways to write a reservation mean the same.
#include "runtime/adapters/codec/resources.h"

#include <gtest/gtest.h>

namespace banyan::codec {
namespace {

Resource volume() {
  Resource r{{"disk", {{true, "kafka", "ops", {{"banyan.instance", "kafka-0"}}}}, {}, "kafka"}, Scalar{100'000}};
  r.identity.volume = Volume{"kafka-0.data", "ops", "data", true};
  return r;
}

Resources samples() {
  Resources all = Resources::parse("cpus:0.1;mem:64;ports:[1-2, 5-9];bugs(debug):{a,b}").value();
  all.add(volume());
  return all;
}

TEST(ResourceMessages, RoundTripInEachFormat) {
  for (const auto format : {ResourceFormat::refined, ResourceFormat::legacy, ResourceFormat::operator_}) {
    google::protobuf::RepeatedPtrField<mesos::v1::Resource> messages;
    encode(samples(), format, &messages);
    const auto back = decode(messages);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, samples());
  }
}

TEST(ResourceMessages, WriteTheReservationAsTheFormatSays) {
  const auto refined = encode(volume(), ResourceFormat::refined);
  EXPECT_FALSE(refined.has_role());
  EXPECT_EQ(refined.reservations(0).role(), "kafka");
  EXPECT_EQ(refined.reservations(0).type(), mesos::v1::Resource::ReservationInfo::DYNAMIC);

  const auto legacy = encode(volume(), ResourceFormat::legacy);
  EXPECT_EQ(legacy.reservations_size(), 0);
  EXPECT_EQ(legacy.role(), "kafka");
  EXPECT_EQ(legacy.reservation().labels().labels(0).value(), "kafka-0");

  const auto shown = encode(volume(), ResourceFormat::operator_);
  EXPECT_EQ(shown.role(), "kafka");
  EXPECT_EQ(shown.reservations_size(), 1);
}

TEST(ResourceMessages, KeepAStackOfReservations) {
  Resource r{{"cpus", {{false, "eng", "", {}}, {true, "eng/web", "p", {}}}, {}, ""}, Scalar{500}};
  const auto back = decode(encode(r, ResourceFormat::refined));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->identity, r.identity);
}

std::string refusal(const std::function<void(mesos::v1::Resource&)>& change) {
  auto message = encode({{"disk", {}, {}, ""}, Scalar{1000}}, ResourceFormat::refined);
  change(message);
  const auto decoded = decode(message);
  return decoded ? "accepted" : decoded.error().message;
}

TEST(ResourceMessages, AreRefusedWithTheReason) {
  EXPECT_EQ(refusal([](auto& m) { m.mutable_scalar()->set_value(-1); }), "resource 'disk': must not be negative");
  EXPECT_EQ(refusal([](auto& m) { m.clear_scalar(); }), "resource 'disk': is a SCALAR without 'scalar'");
  EXPECT_EQ(refusal([](auto& m) { m.mutable_shared(); }), "resource 'disk': shared resources are not supported yet");
  EXPECT_EQ(refusal([](auto& m) { m.add_reservations(); }), "resource 'disk': is reserved to no role");
  EXPECT_EQ(refusal([](auto& m) { m.set_name(""); }), "resource '': has no name");
  EXPECT_EQ(refusal([](auto& m) {
              m.mutable_disk()->mutable_persistence()->set_id("v");
              m.set_name("cpus");
            }),
            "resource 'cpus': only the scalar 'disk' can be a persistent volume");
}

}  // namespace
}  // namespace banyan::codec
