#include <gmock/gmock.h>
#include <sys/wait.h>

#include "runtime/base/limits.h"
#include "tests/contract/posix/world.h"

namespace banyan::posix {
namespace {

/// Both ways to hold a container promise the same.
class AContainer : public testing::TestWithParam<Isolation> {
 protected:
  Folder folder;
  ContainerWorld world{folder, GetParam()};
};

std::string name_of(const testing::TestParamInfo<Isolation>& info) {
  return info.param == Isolation::none ? "TrackedByItsTree" : "WithACgroupWhereThereAreAny";
}
INSTANTIATE_TEST_SUITE_P(Posix, AContainer, testing::Values(Isolation::none, Isolation::automatic), name_of);

TEST_P(AContainer, ReportsItsTrueExitStatus) {
  world.launch("c", "exit 7");
  EXPECT_EQ(WEXITSTATUS(world.wait_end("c").wait_status), 7);
  EXPECT_TRUE(world.started.contains("c"));
}

TEST_P(AContainer, ReportsTheSignalThatEndedIt) {
  world.launch("c", "kill -9 $$");
  EXPECT_EQ(WTERMSIG(world.wait_end("c").wait_status), SIGKILL);
}

TEST_P(AContainer, KeepsItsOutputInItsSandbox) {
  world.launch("c", "echo out; echo err >&2; pwd");
  world.wait_end("c");
  EXPECT_EQ(content_of(world.sandbox("c") + "/stdout"), "out\n" + world.sandbox("c") + "\n");
  EXPECT_EQ(content_of(world.sandbox("c") + "/stderr"), "err\n");
}

TEST_P(AContainer, TakesDaemonsInSessionsOfTheirOwnWithIt) {
  world.launch("c",
               "setsid sh -c 'echo $$ > daemon.new; mv daemon.new daemon; trap \"\" TERM HUP; sleep 600' & "
               "while ! test -e daemon; do sleep 0.01; done; exit 3");
  EXPECT_EQ(WEXITSTATUS(world.wait_end("c").wait_status), 3);
  EXPECT_TRUE(is_gone(std::stoi(content_of(world.sandbox("c") + "/daemon"))));
}

TEST_P(AContainer, DiesWithItsWholeTreeWhenItIgnoresTerm) {
  world.launch("c",
               "trap '' TERM; (trap '' TERM; sleep 600) & echo $! > child.new; mv child.new child; wait; sleep 600");
  world.wait_start("c");
  world.wait_for_file(world.sandbox("c") + "/child");
  world.containers().terminate(ContainerId("c"));
  world.containers().destroy(ContainerId("c"));
  EXPECT_EQ(WTERMSIG(world.wait_end("c").wait_status), SIGKILL);
  EXPECT_TRUE(is_gone(std::stoi(content_of(world.sandbox("c") + "/child"))));
}

TEST_P(AContainer, MayEndOrderlyOnTerm) {
  world.launch("c", "trap 'exit 5' TERM; touch ready; while true; do sleep 0.01; done");
  world.wait_for_file(world.sandbox("c") + "/ready");
  world.containers().terminate(ContainerId("c"));
  EXPECT_EQ(WEXITSTATUS(world.wait_end("c").wait_status), 5);
}

TEST_P(AContainer, ThatIsToEndIsWaitedForAlsoWhenItsShellDiesFirst) {
  world.launch("c",
               "(trap 'sleep 0.1; echo done > flushed.new; mv flushed.new flushed; exit 0' TERM; touch ready; "
               "while :; do sleep 0.01; done) & wait");
  world.wait_for_file(world.sandbox("c") + "/ready");
  world.containers().terminate(ContainerId("c"));
  EXPECT_EQ(WTERMSIG(world.wait_end("c").wait_status), SIGTERM) << "the first process' status";
  EXPECT_EQ(content_of(world.sandbox("c") + "/flushed"), "done\n");
}

TEST_P(AContainer, WhoseRestIgnoresTermEndsWhenItIsDestroyed) {
  world.launch("c",
               "sh -c \"trap '' TERM; echo \\$\\$ > child.new; mv child.new child; exec sleep 600\" & exec sleep 600");
  const pid_t first = world.wait_start("c");
  world.wait_for_file(world.sandbox("c") + "/child");
  world.containers().terminate(ContainerId("c"));
  run_until(world.loop(), [first] { return is_gone(first); });
  const pid_t child = std::stoi(content_of(world.sandbox("c") + "/child"));
  EXPECT_FALSE(is_gone(child));
  EXPECT_FALSE(world.ended.contains("c"));
  world.containers().destroy(ContainerId("c"));
  EXPECT_EQ(WTERMSIG(world.wait_end("c").wait_status), SIGTERM);
  EXPECT_TRUE(is_gone(child));
}

TEST_P(AContainer, HearsTermOnce) {
  world.launch("c",
               "trap 'echo term >> terms.new; cp terms.new terms' TERM; touch ready; "
               "while ! test -e go; do sleep 0.01; done; exit 5");
  world.wait_for_file(world.sandbox("c") + "/ready");
  world.containers().terminate(ContainerId("c"));
  world.wait_for_file(world.sandbox("c") + "/terms");
  world.containers().terminate(ContainerId("c"));
  std::ofstream(world.sandbox("c") + "/go") << "";
  EXPECT_EQ(WEXITSTATUS(world.wait_end("c").wait_status), 5);
  EXPECT_EQ(content_of(world.sandbox("c") + "/terms"), "term\n");
}

TEST_P(AContainer, IsNotHeldUpByAGrandchildThatKeepsItsStdout) {
  world.launch("c", "sleep 600 & exit 0");
  EXPECT_EQ(world.wait_end("c").wait_status, 0);
}

TEST_P(AContainer, RotatesItsOutputBeforeItGrowsTooLarge) {
  world.launch("c", "head -c 20000000 /dev/zero");
  world.wait_end("c");
  const auto live = std::filesystem::file_size(world.sandbox("c") + "/stdout");
  const auto old = std::filesystem::file_size(world.sandbox("c") + "/stdout.1");
  EXPECT_LE(live, limits::log_file_bytes_max);
  EXPECT_LE(old, limits::log_file_bytes_max);
  EXPECT_EQ(live + old, 20'000'000u);
}

TEST_P(AContainer, ThatReplacesItsLogByALinkWritesNowhereElse) {
  folder.write("victim", "untouched");
  world.launch("c", "rm stdout; ln -s " + folder.path() + "/victim stdout; head -c 17000000 /dev/zero; echo more");
  world.wait_end("c");
  EXPECT_EQ(content_of(folder / "victim"), "untouched");
}

TEST_P(AContainer, InheritsNoDescriptorAndNoEnvironment) {
  world.launch("c", "ls /proc/self/fd | wc -l; env | grep -v -e PWD -e SHLVL -e '^_=' -e '^BANYAN_CONTAINER=c$'");
  world.wait_end("c");
  EXPECT_EQ(content_of(world.sandbox("c") + "/stdout"), "4\nPATH=/usr/bin:/bin\n");  // 0, 1, 2 and ls's own folder
}

TEST_P(AContainer, RunsAsAnotherUserWithoutGroupsWhereTheAgentIsRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  world.launch("c", "id -un; id -G; touch mine && echo writable");
  world.wait_end("c");
  const std::string text = content_of(world.sandbox("c") + "/stdout");
  EXPECT_TRUE(text.starts_with("nobody\n65534\n")) << text;
  EXPECT_TRUE(text.ends_with("writable\n")) << text;
}

TEST_P(AContainer, RunsAsAUserAndAGroupThatOnlyNumbersName) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  auto plan = world.plan("c", "id -u; id -g");
  plan.command_user = "64001:64002";
  world.containers().launch(plan);
  world.wait_end("c");
  EXPECT_EQ(content_of(world.sandbox("c") + "/stdout"), "64001\n64002\n");
}

TEST_P(AContainer, RunsAsRootUnderNoNameOfIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  for (const std::string user : {"root", "0", "0:0", "64001:0", "nobody:root"}) {
    auto plan = world.plan("as " + user, "true");
    plan.command_user = user;
    world.containers().launch(plan);
    EXPECT_THAT(world.wait_end("as " + user).launch_error, testing::StartsWith("tasks do not run ")) << user;
  }
}

TEST_P(AContainer, OfACommandThatDoesNotExistSaysSo) {
  auto plan = world.plan("c", "");
  plan.command = {"/no/such/program", {"program"}, {}};
  world.containers().launch(plan);
  EXPECT_EQ(
      world.wait_end("c").launch_error,
      "Failed to execute /no/such/program: No such file or directory; it, or the interpreter that it names, is not "
      "there");
  EXPECT_FALSE(world.started.contains("c"));
}

TEST_P(AContainer, OfAFileThatMayNotBeExecutedNamesItAndTheCure) {
  auto plan = world.plan("c", "");
  plan.command = {"/etc/passwd", {"passwd"}, {}};
  world.containers().launch(plan);
  EXPECT_EQ(world.wait_end("c").launch_error,
            "Failed to execute /etc/passwd: Permission denied; it may not be executed: a fetched file needs "
            "executable: true");
}

TEST_P(AContainer, WhoseShimIsKilledDoesNotOutliveIt) {
  world.launch("c",
               "(trap '' HUP; sleep 600) & echo $! > child; "
               "setsid sh -c 'echo $$ > daemon.new; mv daemon.new daemon; exec sleep 600' & wait");
  const pid_t task = world.wait_start("c");
  world.wait_for_file(world.sandbox("c") + "/daemon");
  shim::Started record;
  ASSERT_TRUE(shim::parse_started(content_of(folder / "runtime/c/started").c_str(), &record));
  ::kill(record.shim.pid, SIGKILL);
  EXPECT_TRUE(world.wait_end("c").shim_lost);
  EXPECT_TRUE(is_gone(task));
  EXPECT_TRUE(is_gone(std::stoi(content_of(world.sandbox("c") + "/child"))));
  EXPECT_TRUE(is_gone(std::stoi(content_of(world.sandbox("c") + "/daemon")))) << "in a session of its own";
}

TEST_P(AContainer, LeavesNoCgroupBehind) {
  world.launch("c", "sleep 600");
  world.wait_start("c");
  const std::string leaf = read_file(folder / "runtime/c/leaf").value_or("");
  EXPECT_EQ(leaf.empty(), !world.has_cgroups());
  world.containers().destroy(ContainerId("c"));
  world.wait_end("c");
  run_until(world.loop(), [&leaf] { return leaf.empty() || !std::filesystem::exists(leaf); });
}

TEST_P(AContainer, RunsChecksBesideItself) {
  world.launch("c", "touch here; sleep 600");
  world.wait_for_file(world.sandbox("c") + "/here");
  std::vector<std::optional<int>> results;
  const auto keep = [&results](std::optional<int> code) { results.push_back(code); };
  world.containers().check(world.plan("c", "test -e here; exit 4"), std::chrono::seconds(60), keep);
  run_until(world.loop(), [&] { return results.size() == 1; });
  world.containers().check(world.plan("c", "sleep 600"), std::chrono::milliseconds(50), keep);
  run_until(world.loop(), [&] { return results.size() == 2; });
  EXPECT_EQ(results[0], 4);
  EXPECT_EQ(results[1], std::nullopt);
  EXPECT_FALSE(world.ended.contains("c"));
  world.containers().destroy(ContainerId("c"));
  world.wait_end("c");
}

TEST_P(AContainer, KeepsAVolumesDataForTheNextOne) {
  auto first = world.plan("one", "echo kept > data/file");
  first.volumes = {{"data", folder / "volumes/roles/r/v", true}};
  world.containers().launch(first);
  EXPECT_EQ(world.wait_end("one").launch_error, "");
  auto second = world.plan("two", "cat data/file");
  second.volumes = first.volumes;
  world.containers().launch(second);
  world.wait_end("two");
  EXPECT_EQ(content_of(world.sandbox("two") + "/stdout"), "kept\n");
}

TEST_P(AContainer, DestroyedWhileItIsPreparedNeverStarts) {
  world.launch("c", "touch started");
  world.containers().destroy(ContainerId("c"));
  EXPECT_EQ(world.wait_end("c").launch_error, "Killed before it was started");
  EXPECT_FALSE(std::filesystem::exists(world.sandbox("c") + "/started"));
}

}  // namespace
}  // namespace banyan::posix
