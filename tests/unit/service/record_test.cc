// What survives the scheduler, field by field.
#include <gtest/gtest.h>

#include "orchestrator/frameworks/service/instance.h"

namespace banyan::service {
namespace {

Record full() {
  Record r;
  r.place = {"a1", "10.0.0.1", "/var/volumes", {{"client", 31000}}, {"port:client", "volume:data"}, {31007}};
  r.attempt = 3;
  r.task = "shop.kafka.kafka-0.3";
  r.fingerprint = "f1";
  r.launched = "f2";
  r.ports = {{"client", 31001}};
  r.launched_with = {{"zk.client", "10.0.0.9:2181"}};
  r.listens = {"tcp/31001"};
  r.strangers = {{"tcp/31000", "1234/python3"}};
  r.restart = 2;
  r.restarts = 4;
  r.completed = r.failed = r.quarantined = true;
  r.why = "it died";
  return r;
}

TEST(Record, ComesBackAsItWas) {
  EXPECT_EQ(decode_record(encode(full())).value(), full());
  EXPECT_EQ(decode_record(encode(Record{})).value(), Record{});
  for (const auto mark : {&Record::completed, &Record::failed, &Record::quarantined}) {
    Record one;
    one.*mark = true;
    EXPECT_EQ(decode_record(encode(one)).value(), one);
  }
}

TEST(Record, KnowsNobodyLooksFromNothingIsHeld) {
  auto r = full();
  r.listens.reset();
  EXPECT_EQ(decode_record(encode(r)).value(), r);
  r.listens.emplace();
  EXPECT_EQ(decode_record(encode(r)).value(), r);
}

TEST(Record, OfALaterVersionIsRefused) {
  auto r = full();
  ++r.schema;
  const auto read = decode_record(encode(r));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "instance record was written by a newer Banyan");
}

TEST(Record, NamesWhoHoldsAPortUnlessItIsItsOwn) {
  auto r = full();
  EXPECT_EQ(held_by(r, specs::Transport::tcp, 31000), "pid 1234 (python3)");
  EXPECT_EQ(held_by(r, specs::Transport::udp, 31000), "") << "of the other protocol";
  r.listens->insert("tcp/31000");
  EXPECT_EQ(held_by(r, specs::Transport::tcp, 31000), "") << "shared with it";
  r.strangers = {{"udp/53", "77"}};
  EXPECT_EQ(held_by(r, specs::Transport::udp, 53), "pid 77") << "of which nobody knows the name";
}

}  // namespace
}  // namespace banyan::service
