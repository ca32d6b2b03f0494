#include "orchestrator/frameworks/service/probes/kafka.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "runtime/adapters/loop/loop.h"

namespace banyan::service {

namespace {

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* p) const {
    destroy(p);
  }
};
using Handle = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;

constexpr std::size_t replication_max = 3;
/// A broker that takes connections answers within this, or the next try asks again.
constexpr std::int64_t metadata_max_ms = 1000;

/// What is left of a try's time.
class Deadline {
 public:
  explicit Deadline(Duration timeout) : end_(mono_now() + timeout) {}
  [[nodiscard]] int left_ms(std::int64_t at_most = INT32_MAX) const {
    return static_cast<int>(std::clamp<std::int64_t>(milliseconds(end_ - mono_now()), 1, at_most));
  }
  [[nodiscard]] bool passed() const { return mono_now() >= end_; }

 private:
  Instant end_;
};

Result<Handle> open(rd_kafka_type_t type, const std::string& brokers) {
  std::array<char, 512> why{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const std::pair<const char*, std::string> settings[] = {{"bootstrap.servers", brokers},
                                                          {"acks", "all"},
                                                          {"client.id", "banyan-probe"},
                                                          {"reconnect.backoff.ms", "50"},
                                                          {"reconnect.backoff.max.ms", "200"},
                                                          {"log_level", "0"},
                                                          {"topic.metadata.refresh.interval.ms", "-1"}};
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name, value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return error(why.data());
    }
  if (type == RD_KAFKA_PRODUCER)
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* message, void*) {
      auto* delivered = static_cast<std::int64_t*>(message->_private);
      *delivered = message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? message->offset : -2 - static_cast<int>(message->err);
    });
  rd_kafka_t* handle = rd_kafka_new(type, conf, why.data(), why.size());
  if (handle == nullptr) {
    rd_kafka_conf_destroy(conf);
    return error(why.data());
  }
  return Handle(handle);
}

/// The blocking part: used by the worker thread only.
class Cluster {
 public:
  explicit Cluster(const std::vector<std::string>& addresses) : size_(addresses.size()) {
    for (const auto& a : addresses) brokers_ += (brokers_.empty() ? "" : ",") + a;
  }

  Verdict probe(const std::vector<std::string>& topics, bool thorough, Duration timeout) {
    const Deadline deadline(timeout);
    if (!producer_) {
      auto opened = open(RD_KAFKA_PRODUCER, brokers_);
      if (!opened) return {false, opened.error().message};
      producer_ = std::move(*opened);
    }
    auto wanted = topics;
    if (thorough) wanted.emplace_back(kafka_probe_topic);
    auto seen = metadata(wanted, deadline);
    if (!seen) return {false, seen.error().message};
    auto verdict = judge_kafka({seen->brokers, seen->controller, {}}, size_);
    if (!verdict.ready) return verdict;
    if (thorough && !seen->leaderless.empty()) {
      verdict = create_topics(seen->leaderless, deadline);
      if (!verdict.ready) return verdict;
      seen = metadata(wanted, deadline);
      if (!seen) return {false, seen.error().message};
    }
    verdict = judge_kafka(*seen, size_);
    return verdict.ready && thorough ? round_trip(deadline) : verdict;
  }

 private:
  /// `wanted`: topics to look at; none saves asking for all.
  Result<KafkaMetadata> metadata(const std::vector<std::string>& wanted, const Deadline& deadline) {
    const struct rd_kafka_metadata* answer = nullptr;
    const auto failed =
        rd_kafka_metadata(producer_.get(), wanted.empty() ? 0 : 1, nullptr, &answer, deadline.left_ms(metadata_max_ms));
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) return error(std::string("metadata: ") + rd_kafka_err2str(failed));
    KafkaMetadata seen;
    seen.brokers = static_cast<std::size_t>(answer->broker_cnt);
    std::set<std::string> led;
    for (int t = 0; t < answer->topic_cnt; ++t) {
      const auto& topic = answer->topics[t];
      const auto* first = topic.partitions;
      const auto* end = first + topic.partition_cnt;
      if (topic.partition_cnt > 0 && std::all_of(first, end, [](const auto& p) { return p.leader >= 0; }))
        led.insert(topic.topic);
    }
    rd_kafka_metadata_destroy(answer);
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(seen.leaderless),
                 [&](const auto& name) { return !led.contains(name); });
    seen.controller = rd_kafka_controllerid(producer_.get(), deadline.left_ms(metadata_max_ms));
    return seen;
  }

  NewTopic new_topic(const std::string& name) const {
    std::array<char, 512> why{};
    const bool own = name == kafka_probe_topic;
    const int replicas = own ? static_cast<int>(std::min(size_, replication_max)) : -1;
    NewTopic topic(rd_kafka_NewTopic_new(name.c_str(), own ? 1 : -1, replicas, why.data(), why.size()));
    if (topic && own) rd_kafka_NewTopic_set_config(topic.get(), "retention.ms", "60000");
    return topic;
  }

  Verdict create_topics(const std::vector<std::string>& topics, const Deadline& deadline) {
    std::vector<NewTopic> wanted;  // one that exists, but has no leader yet, is answered "already exists"
    for (const auto& name : topics) {
      wanted.push_back(new_topic(name));
      if (!wanted.back()) return {false, "\"" + name + "\" is no topic name"};
    }
    std::vector<rd_kafka_NewTopic_t*> raw;
    for (const auto& topic : wanted) raw.push_back(topic.get());
    const AdminOptions options(rd_kafka_AdminOptions_new(producer_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
    std::array<char, 512> why{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), deadline.left_ms(), why.data(), why.size());
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), deadline.left_ms(), why.data(), why.size());
    const Queue queue(rd_kafka_queue_new(producer_.get()));
    rd_kafka_CreateTopics(producer_.get(), raw.data(), raw.size(), options.get(), queue.get());
    const Event event(rd_kafka_queue_poll(queue.get(), deadline.left_ms()));
    if (!event) return {false, "creating topics: no answer in time"};
    const auto* result = rd_kafka_event_CreateTopics_result(event.get());
    if (result == nullptr || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
      return {false, std::string("creating topics: ") + rd_kafka_event_error_string(event.get())};
    std::size_t count = 0;
    const auto* const* results = rd_kafka_CreateTopics_result_topics(result, &count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto failed = rd_kafka_topic_result_error(results[i]);
      if (failed == RD_KAFKA_RESP_ERR_NO_ERROR || failed == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
      return {false, std::string("creating topic ") + rd_kafka_topic_result_name(results[i]) + ": " +
                         rd_kafka_err2str(failed)};
    }
    return {true, ""};
  }

  Verdict round_trip(const Deadline& deadline) {
    const std::string record = "banyan " + std::to_string(milliseconds(wall_now().time_since_epoch()));
    constexpr std::int64_t under_way = -1;
    delivered_ = under_way;
    std::array<rd_kafka_vu_t, 5> message{};
    message[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    message[0].u.cstr = kafka_probe_topic;
    message[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    message[1].u.i32 = 0;
    message[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    message[2].u.i = RD_KAFKA_MSG_F_COPY;
    message[3].vtype = RD_KAFKA_VTYPE_VALUE;
    message[3].u.mem = {const_cast<char*>(record.data()), record.size()};
    message[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
    message[4].u.ptr = &delivered_;
    const std::unique_ptr<rd_kafka_error_t, decltype(&rd_kafka_error_destroy)> failed(
        rd_kafka_produceva(producer_.get(), message.data(), message.size()), rd_kafka_error_destroy);
    if (failed) return {false, std::string("producing: ") + rd_kafka_error_string(failed.get())};
    while (delivered_ == under_way && !deadline.passed()) rd_kafka_poll(producer_.get(), deadline.left_ms());
    if (delivered_ == under_way) {
      rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
      rd_kafka_flush(producer_.get(), 100);
      return {false, "a record was not acknowledged by all replicas in time"};
    }
    if (delivered_ < 0)
      return {false, std::string("producing: ") + rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(-2 - delivered_))};
    return read_back(record, delivered_, deadline);
  }

  Verdict read_back(const std::string& record, std::int64_t offset, const Deadline& deadline) {
    auto consumer = open(RD_KAFKA_CONSUMER, brokers_);
    if (!consumer) return {false, consumer.error().message};
    const Topic topic(rd_kafka_topic_new(consumer->get(), kafka_probe_topic, nullptr));
    if (!topic || rd_kafka_consume_start(topic.get(), 0, offset) != 0) return {false, "cannot read the record back"};
    Verdict verdict{false, "a produced record has not come back in time"};
    while (!deadline.passed()) {
      const Message message(rd_kafka_consume(topic.get(), 0, deadline.left_ms()));
      if (!message || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      if (std::string_view(static_cast<const char*>(message->payload), message->len) != record) continue;
      verdict = {true, ""};
      break;
    }
    rd_kafka_consume_stop(topic.get(), 0);
    return verdict;
  }

  std::size_t size_;
  std::string brokers_;
  std::int64_t delivered_ =
      0;             ///< offset of the probe record; written by the delivery callback, within rd_kafka_poll()
  Handle producer_;  ///< last: its end may still write delivered_
};

/// Shared by the client and its thread: the thread may be blocked in librdkafka when the client goes.
struct Shared {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void(Cluster&)>> jobs;  // guarded by mutex
  Loop* loop = nullptr;                            // guarded by mutex; null: the client is gone
};

void work(const std::shared_ptr<Shared>& shared, const std::vector<std::string>& addresses) {
  Cluster cluster(addresses);
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->wake.wait(lock, [&] { return shared->loop == nullptr || !shared->jobs.empty(); });
    if (shared->loop == nullptr) return;
    const auto job = std::move(shared->jobs.front());
    shared->jobs.pop_front();
    lock.unlock();
    job(cluster);
    lock.lock();
  }
}

class ThreadedKafkaClient final : public KafkaClient {
 public:
  ThreadedKafkaClient(Loop& loop, std::vector<std::string> addresses) : addresses_(std::move(addresses)) {
    shared_->loop = &loop;
    std::thread([shared = shared_, list = addresses_] { work(shared, list); }).detach();
  }
  ~ThreadedKafkaClient() override {
    const std::lock_guard lock(shared_->mutex);
    shared_->loop = nullptr;
    shared_->wake.notify_one();
  }

  const std::vector<std::string>& addresses() const override { return addresses_; }

  void probe(const std::vector<std::string>& topics, bool thorough, Duration timeout,
             std::function<void(const Verdict&)> done) override {
    const std::lock_guard lock(shared_->mutex);
    shared_->jobs.emplace_back([shared = shared_, topics, thorough, timeout, done = std::move(done)](Cluster& cluster) {
      const auto verdict = cluster.probe(topics, thorough, timeout);
      const std::lock_guard hold(shared->mutex);
      if (shared->loop != nullptr) shared->loop->post([done, verdict] { done(verdict); });
    });
    shared_->wake.notify_one();
  }

 private:
  std::vector<std::string> addresses_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace

std::unique_ptr<KafkaClient> KafkaClient::create(Loop& loop, std::vector<std::string> addresses) {
  return std::make_unique<ThreadedKafkaClient>(loop, std::move(addresses));
}

}  // namespace banyan::service
