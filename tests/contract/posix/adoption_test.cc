#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "tests/contract/posix/world.h"

namespace banyan::posix {
namespace {

TEST(ANextAgent, TakesARunningContainerBackAndSeesItsEnd) {
  const Folder folder;
  pid_t pid = 0;
  {
    ContainerWorld first(folder, Isolation::automatic);
    first.launch("c", "while ! test -e go; do sleep 0.01; done; exit 7");
    pid = first.wait_start("c");
  }
  ContainerWorld second(folder, Isolation::automatic);
  second.containers().adopt(ContainerId("c"));
  EXPECT_EQ(second.wait_start("c"), pid);
  std::ofstream(second.sandbox("c") + "/go") << "";
  EXPECT_EQ(WEXITSTATUS(second.wait_end("c").wait_status), 7);
}

TEST(ANextAgent, LearnsTheStatusOfAContainerThatEndedMeanwhile) {
  const Folder folder;
  pid_t pid = 0;
  {
    ContainerWorld first(folder, Isolation::automatic);
    first.launch("c", "exit 7");
    pid = first.wait_start("c");
  }
  ContainerWorld second(folder, Isolation::automatic);
  run_until(second.loop(), [&] { return is_gone(pid); });
  second.containers().adopt(ContainerId("c"));
  EXPECT_EQ(WEXITSTATUS(second.wait_end("c").wait_status), 7);
}

TEST(ANextAgent, ForbidsAContainerThatNeverBegan) {
  const Folder folder;
  ContainerWorld world(folder, Isolation::none);
  ASSERT_TRUE(make_folders(folder / "runtime/c", 0700));
  ASSERT_TRUE(make_folders(folder / "sandbox", 0755));
  world.containers().adopt(ContainerId("c"));
  EXPECT_TRUE(world.wait_end("c").never_started);
  // A shim that comes late does nothing.
  const std::string shim = std::string(BIN_DIR) + "/banyan-shim runtime=" + (folder / "runtime/c") +
                           " sandbox=" + (folder / "sandbox") + " -- touch touch started";
  EXPECT_NE(std::system((shim + " 2>/dev/null").c_str()), 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "sandbox/started"));
}

TEST(ANextAgent, DoesNotTakeAStrangerWithTheSameNumberForItsShim) {
  const Folder folder;
  ContainerWorld world(folder, Isolation::none);
  ASSERT_TRUE(make_folders(folder / "runtime/c", 0700));
  shim::Started record;
  std::snprintf(record.boot_id, sizeof record.boot_id, "%s", boot_id().c_str());
  record.shim = {::getpid(), start_time(::getpid()) + 1};  // our number, another's start time
  record.task = {1, 1};
  char line[160];
  shim::format_started(line, sizeof line, record);
  folder.write("runtime/c/started", line);
  world.containers().adopt(ContainerId("c"));
  EXPECT_TRUE(world.wait_end("c").shim_lost);
}

TEST(ANextAgent, KnowsThatNothingSurvivesARestartOfTheMachine) {
  const Folder folder;
  ContainerWorld world(folder, Isolation::none);
  ASSERT_TRUE(make_folders(folder / "runtime/c", 0700));
  shim::Started record;
  std::snprintf(record.boot_id, sizeof record.boot_id, "another-boot");
  record.shim = {::getpid(), start_time(::getpid())};
  record.task = record.shim;
  char line[160];
  shim::format_started(line, sizeof line, record);
  folder.write("runtime/c/started", line);
  world.containers().adopt(ContainerId("c"));
  EXPECT_TRUE(world.wait_end("c").shim_lost);
}

}  // namespace
}  // namespace banyan::posix
