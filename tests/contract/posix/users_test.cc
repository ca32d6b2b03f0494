// Whom a task runs as: names and numbers, with their groups.
#include "runtime/adapters/posix/users.h"

#include <gmock/gmock.h>
#include <unistd.h>

namespace banyan::posix {
namespace {

using testing::HasSubstr;

TEST(FindUser, TakesNamesAndNumbers) {
  const auto root = find_user("root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0u);
  EXPECT_EQ(find_user("0")->gid, root->gid) << "a number that is known has its user's group";
  const auto nobody = find_user("nobody");
  ASSERT_TRUE(nobody);
  EXPECT_EQ(find_user(std::to_string(nobody->uid))->gid, nobody->gid);
}

TEST(FindUser, NeedsNoEntryForANumber) {
  const auto user = find_user("3999999999");
  ASSERT_TRUE(user);
  EXPECT_EQ(user->uid, 3999999999u);
  EXPECT_EQ(user->gid, 3999999999u);
}

TEST(FindUser, TakesAGroupOfItsOwn) {
  const auto user = find_user("1234:5678");
  ASSERT_TRUE(user);
  EXPECT_EQ(user->uid, 1234u);
  EXPECT_EQ(user->gid, 5678u);
  EXPECT_EQ(find_user("nobody:root")->gid, 0u);
}

TEST(FindUser, NamesWhatDoesNotExist) {
  EXPECT_THAT(find_user("no-such-user").error().message, HasSubstr("user 'no-such-user' does not exist"));
  EXPECT_THAT(find_user("nobody:no-such-group").error().message, HasSubstr("group 'no-such-group' does not exist"));
  EXPECT_FALSE(find_user("4294967295")) << "the kernel takes it for nobody at all";
  EXPECT_FALSE(find_user(""));
}

TEST(ChooseUser, RefusesRootByNumberAndItsGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root switches users";
  EXPECT_FALSE(choose_user({}, "0", ""));
  EXPECT_FALSE(choose_user({}, "root:nogroup", ""));
  EXPECT_THAT(choose_user({}, "1000:0", "").error().message, HasSubstr("root's group"));
  EXPECT_TRUE(choose_user({"nobody", true}, "1000:0", ""));
  EXPECT_EQ(choose_user({}, "1000:1000", "")->uid, 1000u);
}

}  // namespace
}  // namespace banyan::posix
