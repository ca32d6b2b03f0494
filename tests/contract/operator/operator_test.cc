// What the root believes of a master's answers to operator calls.
#include "orchestrator/bin/banyan/operator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/adapters/http/server.h"
#include "runtime/adapters/loop/loop.h"
#include "runtime/base/check.h"

namespace banyan::root {
namespace {

using mesos::v1::master::Call;
using mesos::v1::master::Response;

/// Answers every TEARDOWN with `status`, and knows the frameworks in `known`.
struct FakeMaster {
  explicit FakeMaster(Loop& loop) {
    auto listening = http::Server::listen(
        loop, {"127.0.0.1:0"}, [this](const http::Request& request, const std::shared_ptr<http::Responder>& responder) {
          Call call;
          BANYAN_CHECK(call.ParseFromString(request.body));
          if (call.type() == Call::TEARDOWN) return responder->reply({status, {}, status == 202 ? "" : "refused"});
          Response response;
          for (const auto& id : known) {
            auto& framework = *response.mutable_get_frameworks()->add_frameworks();
            framework.mutable_framework_info()->mutable_id()->set_value(id);
            framework.mutable_framework_info()->set_name(id);
            framework.mutable_framework_info()->set_user("u");
            framework.set_active(true);
            framework.set_connected(true);
            framework.set_recovered(false);
          }
          responder->reply({200, {}, response.SerializePartialAsString()});
        });
    BANYAN_CHECK(listening.has_value());
    server = std::move(*listening);
  }
  unsigned status = 400;
  std::vector<std::string> known;
  std::unique_ptr<http::Server> server;
};

std::string torn_down(unsigned status, std::vector<std::string> known) {
  Loop loop;
  FakeMaster master(loop);
  master.status = status;
  master.known = std::move(known);
  Operator asking(loop, {"127.0.0.1:" + std::to_string(master.server->port())});
  std::string said = "nothing";
  asking.tear_down("logging.kafka.1", [&](const std::string& error) {
    said = error;
    loop.stop();
  });
  const auto late = loop.after(std::chrono::seconds(20), [&loop] { loop.stop(); });
  loop.run();
  loop.cancel(late);
  return said;
}

TEST(Teardown, IsDoneWhenTheMasterDoesNotKnowTheFramework) {
  EXPECT_EQ(torn_down(202, {"logging.kafka.1"}), "");
  EXPECT_EQ(torn_down(400, {"logging.flume.1"}), "");
}

TEST(Teardown, IsNotDoneWhenARefusingMasterStillKnowsIt) {
  EXPECT_THAT(torn_down(400, {"logging.flume.1", "logging.kafka.1"}), testing::HasSubstr("HTTP 400: refused"));
  EXPECT_THAT(torn_down(503, {}), testing::HasSubstr("HTTP 503"));
}

}  // namespace
}  // namespace banyan::root
