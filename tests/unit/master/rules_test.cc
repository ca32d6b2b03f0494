// The pure rules: what may be named how, and what a conversion does.
#include <gtest/gtest.h>

#include "runtime/core/master/conversion.h"
#include "runtime/core/master/validation.h"

namespace banyan::master {
namespace {

using Kind = Conversion::Kind;

Resource disk(std::int64_t mb) { return {{"disk", {}, {}, ""}, Scalar{mb * 1000}}; }
Resource reserved(Resource r, const std::string& role, bool dynamic = true) {
  r.identity.reservations.push_back({dynamic, role, "", {}});
  return r;
}
Resource volume(Resource r, const std::string& id, const std::string& path = "data") {
  r.identity.volume = Volume{id, "", path, false};
  return r;
}

std::string refusal(Kind kind, const Resource& resource, const Resources& total = {}) {
  const auto change = exchange({kind, Resources{resource}}, "kafka", total);
  return change ? "accepted" : change.error().message;
}

TEST(Conversions, ReserveAndUnreserveAreEachOthersReverse) {
  const Resources plain{disk(10)};
  const Resources kept{reserved(disk(10), "kafka")};
  const auto there = exchange({Kind::reserve, kept}, "kafka", plain).value();
  EXPECT_EQ(there.consumed, plain);
  EXPECT_EQ(there.converted, kept);
  const auto back = exchange({Kind::unreserve, kept}, "kafka", kept).value();
  EXPECT_EQ(back.consumed, kept);
  EXPECT_EQ(back.converted, plain);
}

TEST(Conversions, CreateAndDestroyAreEachOthersReverse) {
  const Resources kept{reserved(disk(10), "kafka")};
  const Resources made{volume(reserved(disk(10), "kafka"), "v1")};
  EXPECT_EQ(exchange({Kind::create, made}, "kafka", kept).value().converted, made);
  EXPECT_EQ(exchange({Kind::destroy, made}, "kafka", made).value().converted, kept);
}

TEST(Conversions, GrowAndShrinkAreEachOthersReverse) {
  const auto held = [](std::int64_t mb) { return reserved(disk(mb), "kafka"); };
  const auto sized = [&](std::int64_t mb) { return Resources{volume(held(mb), "v1")}; };
  const auto first = exchange({Kind::grow, sized(10), {held(5)}}, "kafka", {});
  ASSERT_TRUE(first) << first.error().message;
  const auto& grown = *first;
  EXPECT_EQ(grown.consumed, (Resources{volume(held(10), "v1"), held(5)}));
  EXPECT_EQ(grown.converted, sized(15));
  const auto shrunk = exchange({Kind::shrink, sized(15), {held(5)}}, "kafka", {}).value();
  EXPECT_EQ(shrunk.consumed, grown.converted);
  EXPECT_EQ(shrunk.converted, grown.consumed);
  const auto why = [&](Kind kind, const Resources& which, const Resources& piece) {
    const auto change = exchange({kind, which, piece}, "kafka", {});
    return change ? "accepted" : change.error().message;
  };
  EXPECT_EQ(why(Kind::grow, sized(10), {disk(5)}), "what 'v1' gains or gives up is disk reserved as it is");
  EXPECT_EQ(why(Kind::grow, sized(10), {}), "it needs one volume and one amount above 0");
  EXPECT_EQ(why(Kind::grow, {held(10)}, {held(5)}), "'disk' is not a persistent volume");
  EXPECT_EQ(why(Kind::shrink, sized(10), {held(10)}), "'v1' has no more than that");
  EXPECT_EQ(why(Kind::shrink, sized(10), {held(11)}), "'v1' has no more than that");
}

TEST(Volumes, AreTheSameWhereverTheyAreSeen) {
  const Resources total{volume(reserved(disk(10), "kafka"), "v1", "data")};
  EXPECT_TRUE(total.contains({volume(reserved(disk(10), "kafka"), "v1", "var/lib")}));
  EXPECT_FALSE(total.contains({volume(reserved(disk(10), "kafka"), "v2", "data")}));
}

TEST(Conversions, AreRefusedWithTheRule) {
  EXPECT_EQ(refusal(Kind::reserve, disk(1)), "'disk' has no dynamic reservation");
  EXPECT_EQ(refusal(Kind::unreserve, reserved(disk(1), "kafka", false)), "'disk' has no dynamic reservation");
  EXPECT_EQ(refusal(Kind::reserve, reserved(disk(1), "other")), "it is reserved to 'other' but offered to 'kafka'");
  EXPECT_EQ(refusal(Kind::reserve, reserved(disk(1), "*")), "the role '*' cannot be reserved to");
  EXPECT_EQ(refusal(Kind::unreserve, volume(reserved(disk(1), "kafka"), "v1")), "'v1' is a volume: DESTROY it first");
  EXPECT_EQ(refusal(Kind::create, volume(disk(1), "v1")), "a persistent volume needs reserved disk");
  EXPECT_EQ(refusal(Kind::create, reserved(disk(1), "kafka")), "'disk' is not a persistent volume");
  EXPECT_EQ(refusal(Kind::create, volume(reserved(disk(1), "kafka"), "v1", "../x")),
            "the container path '../x' leaves the sandbox");
  const Resource v1 = volume(reserved(disk(1), "kafka"), "v1");
  EXPECT_EQ(refusal(Kind::create, v1, Resources{v1}), "the volume 'v1' exists already");
  EXPECT_EQ(exchange({Kind::reserve, {}}, "", {}).error().message, "it names no resources");
}

TEST(CheckpointedResources, AreCutOutOfTheDeclaredOnes) {
  const Resources declared{disk(100)};
  const Resources kept{volume(reserved(disk(30), "kafka"), "v1"), reserved(disk(20), "web")};
  const auto all = with_checkpointed(declared, kept);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->unreserved(), Resources{disk(50)});
  EXPECT_EQ(all->filter(is_checkpointed), kept);
  EXPECT_FALSE(with_checkpointed(Resources{disk(49)}, kept));
}

TEST(Names, OfRolesAndIds) {
  for (const auto* good : {"*", "web", "eng/web", "a.b", "a-b"}) EXPECT_EQ(role_error(good), "") << good;
  for (const auto* bad : {"", ".", "..", "-a", "a//b", "/a", "a/", "a b", "a\tb", "a/../b", "a/*"})
    EXPECT_NE(role_error(bad), "") << bad;
  for (const auto* good : {"t1", "a.b.3", "ä"}) EXPECT_EQ(id_error("id", good), "") << good;
  for (const std::string& bad : {std::string(), std::string("."), std::string("a/b"), std::string("a\\b"),
                                 std::string("a\nb"), std::string(256, 'x')})
    EXPECT_NE(id_error("id", bad), "") << bad;
}

}  // namespace
}  // namespace banyan::master
