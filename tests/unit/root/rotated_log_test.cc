// Logs that rotate while they are read: nothing twice, nothing missing, and a tail that reaches back.
#include "orchestrator/api/rotated_log.h"

#include <gtest/gtest.h>

#include <map>

#include "runtime/base/rng.h"

namespace banyan::root {
namespace {

/// What a shim writes: "out", and its predecessor "out.1".
struct Folder {
  std::uint64_t bytes_max = 100;
  std::map<std::string, std::string> content;
  std::map<std::string, std::int64_t> modified;
  std::string all;
  std::int64_t now = 1000;

  void write(const std::string& bytes) {
    if (content["out"].size() + bytes.size() > bytes_max) {
      content["out.1"] = std::exchange(content["out"], {});
      modified["out.1"] = modified["out"];
    }
    content["out"] += bytes;
    modified["out"] = ++now;
    all += bytes;
  }
  [[nodiscard]] std::vector<LogFile> list() const {
    std::vector<LogFile> files = {{"other", 7, 7}};
    for (const auto& [name, text] : content) files.push_back({name, text.size(), modified.at(name)});
    return files;
  }
  /// Answers what `log` asks, `steps` times at most; what it told.
  std::string serve(RotatedLog& log, int steps = 1000) const {
    for (; steps > 0; --steps) {
      const auto ask = log.next();
      if (!ask) break;
      if (ask->name.empty()) log.listed(list());
      else if (const auto file = content.find(ask->name); file == content.end() || ask->offset > file->second.size())
        log.read(std::nullopt);
      else log.read(file->second.substr(ask->offset, ask->length));
    }
    return log.take();
  }
};

std::string line(int n) { return "line " + std::to_string(n) + "\n"; }

TEST(RotatedLog, IsReadFromItsOldestFile) {
  Folder folder;
  for (int n = 0; n < 15; ++n) folder.write(line(n));
  ASSERT_FALSE(folder.content["out.1"].empty());
  RotatedLog log("out", -1, 0);
  EXPECT_EQ(folder.serve(log), folder.all);
  EXPECT_EQ(folder.serve(log), "");
}

TEST(RotatedLog, HasATailThatReachesIntoTheRotatedFile) {
  Folder folder;
  for (int n = 0; n < 15; ++n) folder.write(line(n));
  for (int tail = 0; tail <= 15; ++tail) {
    std::string last;
    for (int n = 15 - tail; n < 15; ++n) last += line(n);
    RotatedLog log("out", tail, 0);
    EXPECT_EQ(folder.serve(log), last) << tail;
  }
  folder.write("no end");
  RotatedLog log("out", 2, 0);
  EXPECT_EQ(folder.serve(log), line(14) + "no end") << "an unfinished line is one";
}

TEST(RotatedLog, LeavesOutFilesThatAreOlder) {
  Folder folder;
  for (int n = 0; n < 15; ++n) folder.write(line(n));
  RotatedLog recent("out", -1, folder.modified["out"]);
  EXPECT_EQ(folder.serve(recent), folder.content["out"]);
  RotatedLog none("out", -1, folder.now + 1);
  EXPECT_EQ(folder.serve(none), "");
}

TEST(RotatedLog, LosesNothingWhereverItRotates) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Rng rng(seed);
    Folder folder;
    folder.write(line(0));
    RotatedLog log("out", -1, 0);
    std::string told;
    for (int n = 1; n < 200; ++n) {
      told += folder.serve(log, static_cast<int>(rng.below(4)));
      folder.write(line(n));
      if (n % 8 == 0) {  // the reader is never a whole file behind
        log.look_again();
        told += folder.serve(log);
      }
    }
    log.look_again();
    told += folder.serve(log);
    ASSERT_EQ(told, folder.all) << "seed " << seed;
  }
}

TEST(RotatedLog, SaysWhereLinesAreMissing) {
  Folder folder;
  folder.write(line(0));
  RotatedLog log("out", -1, 0);
  folder.serve(log);
  folder.write(std::string(95, 'x') + "\n");
  folder.content["out.1"] = "y\n";
  folder.modified["out.1"] = ++folder.now;
  log.look_again();
  EXPECT_EQ(folder.serve(log).substr(0, 30), "banyan: lines are missing here");
}

TEST(RotatedLog, IsAskedForAgainOnlyWhenTold) {
  Folder folder;
  RotatedLog log("out", -1, 0);
  EXPECT_EQ(folder.serve(log), "");
  EXPECT_FALSE(log.next() || log.found());
  folder.write(line(0));
  log.look_again();
  EXPECT_EQ(folder.serve(log), line(0));
  EXPECT_TRUE(log.found());
}

}  // namespace
}  // namespace banyan::root
