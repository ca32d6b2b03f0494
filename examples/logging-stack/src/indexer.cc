#include "examples/logging-stack/src/indexer.h"

#include <fmt/core.h>
#include <librdkafka/rdkafka.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "examples/logging-stack/src/elasticsearch.h"
#include "runtime/base/backoff.h"

namespace example {

namespace json = boost::json;
using namespace std::chrono_literals;
using banyan::Result;

namespace {

constexpr std::size_t batch_max = 500;
constexpr int batch_wait_ms = 50;
constexpr banyan::Backoff backoff{100ms, 2s};

struct Free {
  void operator()(rd_kafka_t* consumer) const { rd_kafka_destroy(consumer); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
using Consumer = std::unique_ptr<rd_kafka_t, Free>;
using Message = std::unique_ptr<rd_kafka_message_t, Free>;
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, Free>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Free>;

void log(const rd_kafka_t*, int level, const char*, const char* text) {
  const auto severity = level <= 3 ? spdlog::level::err : level <= 4 ? spdlog::level::warn : spdlog::level::info;
  spdlog::log(severity, "kafka: {}", text);
}

Result<Consumer> subscribe(const IndexerOptions& options) {
  const std::pair<const char*, std::string> settings[] = {
      {"bootstrap.servers", options.brokers}, {"group.id", options.group},
      {"enable.auto.commit", "false"},        {"auto.offset.reset", "earliest"},
      {"session.timeout.ms", "6000"},  // a killed indexer's partitions are free again after this
      {"heartbeat.interval.ms", "1500"},      {"topic.metadata.refresh.interval.ms", "5000"},
      {"reconnect.backoff.max.ms", "1000"},   {"fetch.wait.max.ms", "100"},
      // No broker.address.family: v4 alone resolves nothing on a machine that has only its loopback interface.
  };
  char why[512] = "";
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, log);
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return banyan::error(fmt::format("librdkafka does not take {}={}: {}", name, value, why));
    }
  }
  Consumer consumer(rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why));
  if (!consumer) {
    rd_kafka_conf_destroy(conf);
    return banyan::error(fmt::format("cannot make a Kafka consumer: {}", why));
  }
  rd_kafka_poll_set_consumer(consumer.get());
  const Partitions topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), options.topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (const auto failed = rd_kafka_subscribe(consumer.get(), topics.get()))
    return banyan::error(fmt::format("cannot subscribe to {}: {}", options.topic, rd_kafka_err2str(failed)));
  return consumer;
}

/// What has come, at most a batch; messages that carry an error are said and dropped.
std::vector<Message> next_batch(rd_kafka_queue_t* queue) {
  rd_kafka_message_t* raw[batch_max];
  const ssize_t count = rd_kafka_consume_batch_queue(queue, batch_wait_ms, raw, batch_max);
  std::vector<Message> batch;
  for (ssize_t i = 0; i < count; ++i) {
    Message message(raw[i]);
    if (message->err) spdlog::warn("kafka: {}", rd_kafka_message_errstr(message.get()));
    else batch.push_back(std::move(message));
  }
  return batch;
}

std::string text_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.payload), message.len};
}

/// A message that is no line of ours, kept with where it came from.
Document unreadable_document(const rd_kafka_message_t& message, const std::string& reason) {
  const json::object source{{"text", text_of(message)}, {"reason", reason}};
  return {"unreadable", fmt::format("{}-{}-{}", rd_kafka_topic_name(message.rkt), message.partition, message.offset),
          json::serialize(source)};
}

/// A line goes to the index of the day it was written, so that a replay on another day finds the same document.
Document document_of(const rd_kafka_message_t& message) {
  const std::string text = text_of(message);
  boost::system::error_code failed;
  const json::value line = json::parse(text, failed);
  if (failed || !line.is_object()) return unreadable_document(message, "not a JSON object");
  const json::value* id = line.as_object().if_contains("id");
  const json::value* ts = line.as_object().if_contains("ts");
  if (!id || !id->is_string() || !ts || !ts->is_string() || ts->as_string().size() < 10)
    return unreadable_document(message, "no id or ts");
  std::string day(ts->as_string().subview(0, 10));
  std::replace(day.begin(), day.end(), '-', '.');
  return {"lines-" + day, std::string(id->as_string()), text};
}

std::vector<Document> documents_of(const std::vector<Message>& batch) {
  std::vector<Document> documents;
  documents.reserve(batch.size());
  for (const Message& message : batch) documents.push_back(document_of(*message));
  return documents;
}

/// Tries until it works or `stopping`; says why it does not, once per attempt. True when it worked.
bool insist(const std::atomic<bool>& stopping, const std::function<Result<void>()>& attempt) {
  for (unsigned failures = 0; !stopping; ++failures) {
    const auto done = attempt();
    if (done) return true;
    const auto wait = backoff.wait(failures);
    spdlog::warn("trying again in {} ms: {}", banyan::milliseconds(wait), done.error().message);
    std::this_thread::sleep_for(wait);
  }
  return false;
}

/// The offsets after each partition's last message of the batch.
Partitions offsets_after(const std::vector<Message>& batch) {
  Partitions list(rd_kafka_topic_partition_list_new(4));
  for (const Message& message : batch) {
    const char* topic = rd_kafka_topic_name(message->rkt);
    auto* known = rd_kafka_topic_partition_list_find(list.get(), topic, message->partition);
    if (!known) known = rd_kafka_topic_partition_list_add(list.get(), topic, message->partition);
    known->offset = std::max(known->offset, message->offset + 1);
  }
  return list;
}

}  // namespace

void Indexer::start() {
  thread_ = std::thread([this] { run(); });
}

void Indexer::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Indexer::run() {
  Elasticsearch elasticsearch(options_.elasticsearch);
  Consumer consumer;
  const bool ready = insist(stopping_, [&] { return elasticsearch.install_template(options_.replicas); }) &&
                     insist(stopping_, [&]() -> Result<void> {
                       auto made = subscribe(options_);
                       if (!made) return tl::unexpected(made.error());
                       consumer = std::move(*made);
                       return {};
                     });
  if (!ready) return;
  const Queue queue(rd_kafka_queue_get_consumer(consumer.get()));
  while (!stopping_) {
    const auto batch = next_batch(queue.get());
    if (batch.empty()) continue;
    auto documents = documents_of(batch);
    const bool written = insist(stopping_, [&]() -> Result<void> {
      const auto rejected = elasticsearch.index(documents);
      if (!rejected) return tl::unexpected(rejected.error());
      for (const auto& [position, reason] : *rejected)
        documents[position] = unreadable_document(*batch[position], reason);
      return rejected->empty() ? Result<void>() : banyan::error("some lines were refused; keeping them as unreadable");
    });
    if (!written) break;
    const auto strange = static_cast<std::uint64_t>(
        std::count_if(documents.begin(), documents.end(), [](const Document& d) { return d.index == "unreadable"; }));
    unreadable_ += strange;
    indexed_ += documents.size() - strange;
    // A commit that fails (a rebalance, a dying broker) costs a replay, and a replay costs nothing.
    if (const auto failed = rd_kafka_commit(consumer.get(), offsets_after(batch).get(), 0))
      spdlog::warn("kafka: offsets not committed: {}", rd_kafka_err2str(failed));
  }
  rd_kafka_consumer_close(consumer.get());
}

}  // namespace example
