// What a link may count on, whatever a core decides: one stream at a time, closed before the next and at the end; calls
// only while one is open, each under a number of its own.
#pragma once

#include <gtest/gtest.h>

#include "runtime/sdk/core/executor_core.h"
#include "runtime/sdk/core/scheduler_core.h"

namespace banyan::sdk {

class LinkLaws {
 public:
  template <class Effects>
  void hear(const Effects& effects) {
    for (const auto& effect : effects) std::visit([this](const auto& e) { take(e); }, effect);
  }

 private:
  void take(const OpenStream& open) {
    EXPECT_FALSE(over_) << "it comes back after its end";
    EXPECT_FALSE(open_) << "two streams at once";
    EXPECT_GT(open.stream, stream_);
    open_ = true;
    stream_ = open.stream;
    server_ = open.server;
  }
  void take(const CloseStream& close) {
    EXPECT_EQ(close.stream, stream_);
    open_ = false;
  }
  void take(const SendCall& call) {
    EXPECT_TRUE(open_) << "a call without a subscription";
    EXPECT_EQ(call.server, server_);
    EXPECT_GT(call.call, calls_);
    calls_ = call.call;
  }
  void take(const Disconnected& disconnected) {
    if (disconnected.final) end();
    else EXPECT_FALSE(open_);
  }
  void take(const ShutDown&) { end(); }
  template <class Other>
  void take(const Other&) {}
  void end() {
    EXPECT_FALSE(over_) << "its end is told twice";
    EXPECT_FALSE(open_) << "its stream stays open";
    over_ = true;
  }

  std::uint64_t stream_ = 0;
  std::uint64_t calls_ = 0;
  std::string server_;
  bool open_ = false;
  bool over_ = false;
};

}  // namespace banyan::sdk
