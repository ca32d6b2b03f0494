#include <gtest/gtest.h>

#include "runtime/adapters/codec/agent_executor.h"
#include "runtime/adapters/codec/agent_link.h"
#include "runtime/adapters/codec/agent_words.h"

namespace banyan::codec {
namespace {

namespace v1 = mesos::v1;
using v1::executor::Call;

v1::TaskStatus status_of_executor() {
  v1::TaskStatus status;
  status.mutable_task_id()->set_value("t1");
  status.set_state(v1::TASK_RUNNING);
  status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
  status.set_uuid("0123456789abcdef");
  return status;
}

Call update(const v1::TaskStatus& status) {
  Call call;
  call.set_type(Call::UPDATE);
  call.mutable_executor_id()->set_value("raw");
  call.mutable_framework_id()->set_value("F");
  *call.mutable_update()->mutable_status() = status;
  return call;
}

TEST(AnExecutorsUpdate, IsRefusedInMesosWordsWhenItIsMalformed) {
  EXPECT_EQ(fault(update(status_of_executor())), "");
  v1::TaskStatus status = status_of_executor();
  status.clear_uuid();
  EXPECT_EQ(fault(update(status)), "Expecting 'uuid' to be present");
  status.set_uuid("abc");
  EXPECT_EQ(fault(update(status)), "Not a valid UUID");
  status = status_of_executor();
  status.set_source(v1::TaskStatus::SOURCE_AGENT);
  EXPECT_EQ(fault(update(status)),
            "Received Call from executor raw of framework F with invalid source, expecting 'SOURCE_EXECUTOR'");
  status = status_of_executor();
  status.mutable_executor_id()->set_value("zz");
  EXPECT_EQ(fault(update(status)), "ExecutorID in Call: raw does not match ExecutorID in TaskStatus: zz");
  EXPECT_EQ(fault(Call()), "Expecting 'type' to be present");
}

TEST(AnUpdate, CarriesWhoHoldsThePortsAsLabels) {
  agent::Status status;
  status.ports = agent::PortsHeld{"tcp/31000", ""};
  v1::TaskStatus message = encode_status(status, AgentId("A"));
  ASSERT_EQ(message.labels().labels_size(), 1);
  EXPECT_EQ(message.labels().labels(0).key(), "banyan.listens");
  EXPECT_EQ(message.labels().labels(0).value(), "tcp/31000");
  status.ports = agent::PortsHeld{"", "tcp/31000=7/nc"};
  message = encode_status(status, AgentId("A"));
  ASSERT_EQ(message.labels().labels_size(), 2);
  EXPECT_TRUE(message.labels().labels(0).has_value());
  EXPECT_EQ(message.labels().labels(1).key(), "banyan.strangers");
}

TEST(AnExecutorsUpdate, KeepsWhatTheAgentDoesNotDecideOn) {
  v1::TaskStatus sent = status_of_executor();
  sent.set_data("handover");
  sent.set_healthy(true);
  sent.mutable_labels()->add_labels()->set_key("k");
  agent::Status known = decode_status(sent);
  known.container = ContainerId("c");
  known.pid = 4711;
  known.timestamp = 5;
  const v1::TaskStatus forwarded = encode_status(known, AgentId("A"));
  EXPECT_EQ(forwarded.data(), "handover");
  EXPECT_TRUE(forwarded.healthy());
  EXPECT_EQ(forwarded.labels().labels(0).key(), "k");
  EXPECT_EQ(forwarded.source(), v1::TaskStatus::SOURCE_EXECUTOR);
  EXPECT_EQ(forwarded.agent_id().value(), "A");
  EXPECT_EQ(forwarded.container_status().executor_pid(), 4711u);
  EXPECT_FALSE(forwarded.has_executor_id());  // absent unless the executor itself named it
}

TEST(ATask, KeepsFieldsOfANewerMesos) {
  v1::TaskInfo info;
  info.mutable_task_id()->set_value("t");
  info.set_name("t");
  info.mutable_agent_id()->set_value("A");
  info.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(7);
  info.GetReflection()->MutableUnknownFields(&info)->AddVarint(4000, 42);
  const agent::TaskDescription task = decode_task(info);
  EXPECT_EQ(task.kill_grace, Duration(7));
  EXPECT_EQ(parse<v1::TaskInfo>(task.info).SerializeAsString(), info.SerializeAsString());
  EXPECT_EQ(parse<v1::TaskInfo>(task.info).unknown_fields().field(0).varint(), 42u);
}

TEST(ATask, WithACommandCheckIsToldApart) {
  v1::TaskInfo info;
  info.mutable_task_id()->set_value("t");
  EXPECT_FALSE(decode_task(info).check);
  info.mutable_check()->set_type(v1::CheckInfo::COMMAND);
  info.mutable_check()->set_interval_seconds(0.5);
  const auto check = decode_task(info).check;
  ASSERT_TRUE(check);
  EXPECT_EQ(check->delay, std::chrono::seconds(15));  // Mesos' default
  EXPECT_EQ(check->interval, std::chrono::milliseconds(500));
}

TEST(ACheckResult, WithoutACodeIsAnEmptyMember) {
  agent::Status status;
  status.check = agent::CheckResult{};
  const v1::TaskStatus none = encode_status(status, AgentId("A"));
  EXPECT_TRUE(none.check_status().has_command());
  EXPECT_FALSE(none.check_status().command().has_exit_code());
}

TEST(Reservations, NameTheirVolumesByRoleAndId) {
  agent_link::ToAgent message;
  message.mutable_apply()->set_operation_uuid("op");
  auto* disk = message.mutable_apply()->add_checkpointed_resources();
  disk->set_name("disk");
  disk->set_type(v1::Value::SCALAR);
  disk->mutable_scalar()->set_value(64);
  auto* reservation = disk->add_reservations();
  reservation->set_type(v1::Resource::ReservationInfo::DYNAMIC);
  reservation->set_role("logging.kafka");
  disk->mutable_disk()->mutable_persistence()->set_id("kafka-0.data");
  disk->mutable_disk()->mutable_volume()->set_container_path("data");
  disk->mutable_disk()->mutable_volume()->set_mode(v1::Volume::RW);
  const auto input = decode(message);
  ASSERT_TRUE(input);
  const auto& apply = std::get<agent::Apply>(*input);
  EXPECT_EQ(apply.volumes, (std::set<agent::VolumeKey>{{"logging.kafka", "kafka-0.data"}}));
  EXPECT_EQ(apply.resources.size(), 1u);
}

TEST(AMessageOfANewerMaster, IsNoInput) { EXPECT_FALSE(decode(agent_link::ToAgent())); }

}  // namespace
}  // namespace banyan::codec
