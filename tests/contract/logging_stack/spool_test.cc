#include "examples/logging-stack/src/spool.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace example {
namespace {

using ::testing::ElementsAre;

class ASpool : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/banyan-spool-XXXXXX";
    folder_ = ::mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Spool open() {
    auto spool = Spool::open(folder_);
    EXPECT_TRUE(spool.has_value());
    return std::move(*spool);
  }
  void append_to_file(const std::string& bytes) { std::ofstream(folder_ + "/lines.log", std::ios::app) << bytes; }

  std::string folder_;
};

TEST_F(ASpool, NumbersItsLinesFromOne) {
  Spool spool = open();
  const auto written = spool.append(3, "line");
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(written->first, 1u);
  EXPECT_EQ(written->last, 3u);
  EXPECT_THAT(*spool.ids(), ElementsAre(spool.id_of(1), spool.id_of(2), spool.id_of(3)));
}

TEST_F(ASpool, GoesOnCountingUnderTheSameNameAfterItWasOpenedAnew) {
  std::string first;
  {
    Spool spool = open();
    ASSERT_TRUE(spool.append(2, "line").has_value());
    first = spool.id_of(1);
  }
  Spool again = open();
  EXPECT_EQ(again.append(1, "line")->first, 3u);
  EXPECT_EQ(again.id_of(1), first);
}

TEST_F(ASpool, CutsOffALineThatWasNeverFinished) {
  {
    Spool spool = open();
    ASSERT_TRUE(spool.append(1, "line").has_value());
  }
  append_to_file(R"({"id":"half)");
  Spool again = open();
  ASSERT_TRUE(again.append(1, "line").has_value());
  EXPECT_THAT(*again.ids(), ElementsAre(again.id_of(1), again.id_of(2)));
}

TEST_F(ASpool, CannotBeOpenedWhereThereIsNoFolder) {
  const auto spool = Spool::open(folder_ + "/missing");
  ASSERT_FALSE(spool.has_value());
  EXPECT_THAT(spool.error().message, ::testing::HasSubstr("/missing/lines.log"));
}

}  // namespace
}  // namespace example
