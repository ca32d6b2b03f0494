// The master's half: refusals in Mesos' words, fields nobody knows, and both resource formats on the way out.
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/adapters/codec/master_agent_link.h"
#include "runtime/adapters/codec/master_calls.h"
#include "runtime/adapters/codec/master_descriptions.h"
#include "runtime/adapters/codec/master_events.h"
#include "runtime/adapters/codec/master_operator.h"
#include "runtime/base/limits.h"

namespace banyan::codec {
namespace {

using mesos::v1::scheduler::Call;

Call call_of(Call::Type type) {
  Call call;
  call.set_type(type);
  call.mutable_framework_id()->set_value("web");
  return call;
}

std::string refusal(const std::string& body, std::optional<std::string> stream = "s") {
  const auto decoded = decode_scheduler_call(body, stream, 1);
  return decoded ? "accepted" : std::to_string(decoded.error().status) + " " + decoded.error().text;
}
std::string refusal(const Call& call, std::optional<std::string> stream = "s") {
  return refusal(call.SerializePartialAsString(), std::move(stream));
}

TEST(SchedulerCalls, AreRefusedInMesosWords) {
  EXPECT_EQ(refusal("\xff\xff\xff"), "400 Failed to parse body into Call protobuf");
  EXPECT_EQ(refusal(""), "400 Failed to validate scheduler::Call: Expecting 'type' to be present");
  EXPECT_EQ(refusal("\x10\x63"), "400 Failed to validate scheduler::Call: Expecting 'type' to be present");
  EXPECT_EQ(refusal(call_of(Call::DECLINE)),
            "400 Failed to validate scheduler::Call: Expecting 'decline' to be present");
  Call nameless;
  nameless.set_type(Call::TEARDOWN);
  EXPECT_EQ(refusal(nameless), "400 Failed to validate scheduler::Call: Expecting 'framework_id' to be present");

  Call ack = call_of(Call::ACKNOWLEDGE);
  ack.mutable_acknowledge()->mutable_agent_id()->set_value("a");
  ack.mutable_acknowledge()->mutable_task_id()->set_value("t");
  ack.mutable_acknowledge()->set_uuid("123");
  EXPECT_EQ(refusal(ack), "400 Failed to validate scheduler::Call: Not a valid UUID");

  Call subscribe;
  subscribe.set_type(Call::SUBSCRIBE);
  EXPECT_EQ(refusal(subscribe), "400 Failed to validate scheduler::Call: Expecting 'subscribe' to be present");
  subscribe.mutable_subscribe()->mutable_framework_info()->set_name("x");
  EXPECT_EQ(refusal(subscribe),
            "400 Failed to parse body into Call protobuf: Missing required fields: subscribe.framework_info.user");
  subscribe.mutable_subscribe()->mutable_framework_info()->set_user("root");
  EXPECT_EQ(refusal(subscribe), "400 Subscribe calls should not include the 'Mesos-Stream-Id' header");
  EXPECT_EQ(refusal(subscribe, std::nullopt), "accepted");
  subscribe.mutable_framework_id()->set_value("a");
  EXPECT_EQ(refusal(subscribe, std::nullopt),
            "400 Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'");
}

TEST(SchedulerCalls, SayHowLongARefusalHolds) {
  EXPECT_EQ(refuse_duration(false, 0), limits::refuse_default);
  EXPECT_EQ(refuse_duration(true, 0), Duration::zero());
  EXPECT_EQ(refuse_duration(true, -1), limits::refuse_default);
  EXPECT_EQ(refuse_duration(true, std::nan("")), limits::refuse_default);
  EXPECT_EQ(refuse_duration(true, 1e300), limits::refuse_max);
  EXPECT_EQ(refuse_duration(true, 2.5), from_seconds(2.5));
}

mesos::v1::TaskInfo task() {
  mesos::v1::TaskInfo info;
  info.set_name("t");
  info.mutable_task_id()->set_value("t1");
  info.mutable_agent_id()->set_value("a1");
  auto* cpus = info.add_resources();
  cpus->set_name("cpus");
  cpus->set_type(mesos::v1::Value::SCALAR);
  cpus->mutable_scalar()->set_value(0.5);
  cpus->set_role("kafka");
  cpus->mutable_reservation()->set_principal("p");
  info.mutable_executor()->mutable_executor_id()->set_value("e1");
  info.mutable_executor()->mutable_command()->set_value("run");
  info.GetReflection()->MutableUnknownFields(&info)->AddLengthDelimited(9999, "from the future");
  return info;
}

TEST(LaunchedTasks, ReachTheAgentWithEveryFieldAndInItsForm) {
  Call call = call_of(Call::ACCEPT);
  auto* operation = call.mutable_accept()->add_operations();
  operation->set_type(mesos::v1::Offer::Operation::LAUNCH);
  *operation->mutable_launch()->add_task_infos() = task();
  const auto decoded = decode_scheduler_call(call.SerializeAsString(), "s", 1);
  ASSERT_TRUE(decoded);
  const auto& accept = std::get<master::calls::Accept>(std::get<master::SchedulerCall>(*decoded).body);
  const auto& described = std::get<master::calls::Launch>(accept.operations.at(0).what).tasks.at(0);
  EXPECT_EQ(described.invalid, "");
  EXPECT_EQ(described.resources.str(), "cpus(reservations: [(DYNAMIC,kafka,p)]):0.5");

  mesos::v1::FrameworkInfo framework;
  framework.set_user("root");
  framework.set_name("web");
  const master::orders::RunTask run{
      FrameworkId("web"), std::make_shared<const std::string>(framework.SerializeAsString()), "kafka", described.info};
  const auto message = encode(master::orders::Any(run), "m").run_task();
  EXPECT_EQ(message.framework().id().value(), "web");
  const auto& sent = message.task();
  EXPECT_EQ(sent.GetReflection()->GetUnknownFields(sent).field(0).length_delimited(), "from the future");
  EXPECT_EQ(sent.executor().framework_id().value(), "web");
  EXPECT_EQ(sent.resources(0).reservations(0).role(), "kafka");
  EXPECT_EQ(sent.resources(0).reservations(0).principal(), "p");
  EXPECT_FALSE(sent.resources(0).has_role());
  EXPECT_EQ(sent.resources(0).allocation_info().role(), "kafka");
}

TEST(LaunchedTasks, SayWhatIsWrongWithThem) {
  auto info = task();
  info.mutable_resources(0)->mutable_scalar()->set_value(-1);
  EXPECT_EQ(describe(info, FrameworkId("web")).invalid, "Task uses an invalid resource 'cpus': must not be negative");
  info = task();
  info.mutable_executor()->mutable_framework_id()->set_value("other");
  EXPECT_EQ(describe(info, FrameworkId("web")).invalid, "ExecutorInfo has an invalid FrameworkID 'other'");
}

TEST(Executors, AreTheSameHoweverTheirResourcesAreWritten) {
  auto mine = task().executor();
  auto* cpus = mine.add_resources();
  cpus->set_name("cpus");
  cpus->set_type(mesos::v1::Value::SCALAR);
  cpus->mutable_scalar()->set_value(0.1);
  auto agents = mine;
  agents.mutable_framework_id()->set_value("web");
  agents.mutable_resources(0)->mutable_allocation_info()->set_role("web");
  EXPECT_EQ(describe(mine, FrameworkId("web"))->info, describe(agents, FrameworkId("web"))->info);
}

TEST(Offers, AreWrittenAsTheFrameworkUnderstandsThem) {
  mesos::v1::AgentInfo agent;
  agent.set_hostname("10.0.0.7");
  agent.set_port(5051);
  auto* rack = agent.add_attributes();
  rack->set_name("rack");
  rack->set_type(mesos::v1::Value::TEXT);
  rack->mutable_text()->set_value("r1");
  Resource cpus{{"cpus", {{true, "web", "", {}}}, {}, ""}, Scalar{1500}};
  const master::events::Offer offer{OfferId("O1"),
                                    FrameworkId("f"),
                                    AgentId("a1"),
                                    "web",
                                    Resources{cpus},
                                    {ExecutorId("e1")},
                                    std::make_shared<const std::string>(agent.SerializeAsString())};

  const auto modern = encode(offer, {false, true, true, false});
  EXPECT_EQ(modern.hostname(), "10.0.0.7");
  EXPECT_EQ(modern.url().address().ip(), "10.0.0.7");
  EXPECT_EQ(modern.attributes(0).text().value(), "r1");
  EXPECT_EQ(modern.executor_ids(0).value(), "e1");
  EXPECT_EQ(modern.allocation_info().role(), "web");
  EXPECT_EQ(modern.resources(0).allocation_info().role(), "web");
  EXPECT_EQ(modern.resources(0).reservations(0).role(), "web");

  const auto old = encode(offer, {});
  EXPECT_FALSE(old.has_allocation_info());
  EXPECT_FALSE(old.resources(0).has_allocation_info());
  EXPECT_EQ(old.resources(0).role(), "web");
  EXPECT_TRUE(old.resources(0).has_reservation());
  EXPECT_EQ(old.resources(0).reservations_size(), 0);
}

TEST(Reports, RepeatWhatIsKnownOfTheTask) {
  mesos::v1::TaskStatus last;
  last.mutable_task_id()->set_value("t1");
  last.set_state(mesos::v1::TASK_RUNNING);
  last.set_healthy(true);
  last.set_uuid("0123456789abcdef");
  last.set_data("secret");
  last.mutable_executor_id()->set_value("t1");
  last.mutable_container_status()->set_executor_pid(42);
  const master::events::Report report{
      TaskId("t1"), TaskState::running,      master::Reason::reconciliation, "m", AgentId("a1"),
      {},           last.SerializeAsString()};
  const auto status = encode(master::events::Any(report), {}, WallTime(std::chrono::seconds(7))).update().status();
  EXPECT_TRUE(status.healthy());
  EXPECT_EQ(status.container_status().executor_pid(), 42u);
  EXPECT_EQ(status.timestamp(), 7.0);
  EXPECT_EQ(status.reason(), mesos::v1::TaskStatus::REASON_RECONCILIATION);
  EXPECT_FALSE(status.has_uuid());
  EXPECT_FALSE(status.has_data());
  EXPECT_FALSE(status.has_executor_id());  // a command task has none
}

TEST(OperatorCalls, ThatAreNotBuiltSaySo) {
  mesos::v1::master::Call call;
  call.set_type(mesos::v1::master::Call::GET_QUOTA);
  const auto result = operator_call(call.SerializeAsString(), {}, {}, 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 501u);
  EXPECT_EQ(result.error().text, "GET_QUOTA is not supported yet");
}

}  // namespace
}  // namespace banyan::codec
