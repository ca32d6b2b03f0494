// What programs read is all that the root has said: each field of a message stands in its JSON, under its own name and
// with its own value.
#include "orchestrator/cli/json.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace banyan::cli {
namespace {

namespace json = boost::json;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

/// Gives every field, however deep, a value that no other has; `flag` to each bool, and one item to each list.
void fill(Message& message, int& values, bool flag) {
  const Reflection& set = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    const int value = ++values;
    const bool list = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        fill(list ? *set.AddMessage(&message, field) : *set.MutableMessage(&message, field), values, flag);
        break;
      case FieldDescriptor::CPPTYPE_STRING: {
        const auto text = "text " + std::to_string(value);
        list ? set.AddString(&message, field, text) : set.SetString(&message, field, text);
        break;
      }
      case FieldDescriptor::CPPTYPE_BOOL: set.SetBool(&message, field, flag); break;
      case FieldDescriptor::CPPTYPE_UINT32: set.SetUInt32(&message, field, static_cast<std::uint32_t>(value)); break;
      case FieldDescriptor::CPPTYPE_UINT64: set.SetUInt64(&message, field, static_cast<std::uint64_t>(value)); break;
      case FieldDescriptor::CPPTYPE_INT64: set.SetInt64(&message, field, value); break;
      default: ADD_FAILURE() << "fill() knows no " << field->full_name();
    }
  }
}

void expect_all(const Message& message, const json::value& told, const std::string& path);

void expect_field(const Message& message, const FieldDescriptor& field, const json::value& told,
                  const std::string& path) {
  const Reflection& get = *message.GetReflection();
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE: expect_all(get.GetMessage(message, &field), told, path); break;
    case FieldDescriptor::CPPTYPE_STRING:
      EXPECT_EQ(told, json::value(get.GetStringReference(message, &field, &scratch))) << path;
      break;
    case FieldDescriptor::CPPTYPE_BOOL: EXPECT_EQ(told, json::value(get.GetBool(message, &field))) << path; break;
    case FieldDescriptor::CPPTYPE_UINT32: EXPECT_EQ(told, json::value(get.GetUInt32(message, &field))) << path; break;
    case FieldDescriptor::CPPTYPE_UINT64: EXPECT_EQ(told, json::value(get.GetUInt64(message, &field))) << path; break;
    default: EXPECT_EQ(told, json::value(get.GetInt64(message, &field))) << path;
  }
}

void expect_all(const Message& message, const json::value& told, const std::string& path) {
  ASSERT_TRUE(told.is_object()) << path;
  const Reflection& get = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.full_name() == "banyan.root.Status.delta") continue;  // a matter of the wire
    const auto name = path + "." + std::string(field.name());
    const auto* value = told.as_object().if_contains(field.name());
    ASSERT_NE(value, nullptr) << name << " is not told";
    if (!field.is_repeated()) {
      expect_field(message, field, *value, name);
      continue;
    }
    ASSERT_TRUE(value->is_array()) << name;
    ASSERT_EQ(value->as_array().size(), static_cast<std::size_t>(get.FieldSize(message, &field))) << name;
    for (int n = 0; n < get.FieldSize(message, &field); ++n) {
      const auto& item = value->as_array()[static_cast<std::size_t>(n)];
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
        expect_all(get.GetRepeatedMessage(message, &field, n), item, name);
      else EXPECT_EQ(item, json::value(get.GetRepeatedString(message, &field, n))) << name;
    }
  }
}

/// One with something in every field. `flag`: of all that is yes or no.
template <class T>
T full(bool flag = true, int values = 0) {
  T message;
  fill(message, values, flag);
  return message;
}

TEST(Json, OfAStatusTellsEveryField) {
  for (const bool flag : {true, false}) {
    const auto status = full<root::Status>(flag);
    expect_all(status, json::parse(status_json(status)), "status");
  }
}

TEST(Json, OfAnEventARevisionAndAHistoryTellsEveryField) {
  const auto event = full<root::Event>();
  expect_all(event, json::parse(event_json(event)), "event");
  const auto revision = full<root::Revision>();
  expect_all(revision, json::parse(revision_json(revision)), "revision");
  const auto history = full<root::History>();
  const auto told = json::parse(history_json("logging", history));
  expect_all(history, told, "history");
  EXPECT_EQ(told.at("stack"), "logging");
}

TEST(Json, OfTwoStacksHasTheFirstOnesFieldsAndTheNodesOfBothAtTheTop) {
  auto status = full<root::Status>();
  *status.add_stacks() = full<root::Status>(true, 1000).stacks(0);
  const auto told = json::parse(status_json(status)).as_object();
  EXPECT_EQ(told.at("name"), json::value(status.stacks(0).name()));
  EXPECT_EQ(told.at("state"), json::value(status.stacks(0).state()));
  expect_all(status.stacks(0).revision(), told.at("revision"), "revision");
  ASSERT_EQ(told.at("nodes").as_array().size(), 2u);
  for (int i : {0, 1}) {
    const auto& node = told.at("nodes").as_array()[static_cast<std::size_t>(i)];
    expect_all(status.stacks(i).nodes(0), node, "node");
    EXPECT_EQ(node.at("stack"), json::value(status.stacks(i).name()));
  }
}

TEST(Json, OfEndpointsIsOfTheNodeThatWasNamed) {
  auto status = full<root::Status>();
  *status.add_stacks() = full<root::Status>(true, 1000).stacks(0);
  EXPECT_EQ(json::parse(endpoints_json(status, "")).as_array().size(), 2u);
  const auto& wanted = status.stacks(1).nodes(0);
  const auto told = json::parse(endpoints_json(status, wanted.name())).as_array();
  ASSERT_EQ(told.size(), 1u);
  expect_all(wanted.endpoints(0), told[0], "endpoint");
  EXPECT_EQ(told[0].at("node"), json::value(wanted.name()));
  EXPECT_EQ(told[0].at("stack"), json::value(status.stacks(1).name()));
}

TEST(Json, OfALogLineKeepsWhatAProgramPrinted) {
  const auto told = json::parse(log_json("kafka-0", "a \"b\"\t\\"));
  EXPECT_EQ(told.at("source"), "kafka-0");
  EXPECT_EQ(told.at("line"), "a \"b\"\t\\");
}

}  // namespace
}  // namespace banyan::cli
