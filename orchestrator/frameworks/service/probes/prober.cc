#include "orchestrator/frameworks/service/probes/prober.h"

#include <map>
#include <memory>

#include "orchestrator/frameworks/service/probes/exchange.h"
#include "orchestrator/frameworks/service/probes/kafka.h"
#include "orchestrator/frameworks/service/probes/verdict.h"
#include "runtime/adapters/http/client.h"
#include "runtime/adapters/loop/loop.h"

namespace banyan::service {

namespace {

/// Collects one answer per address, in the addresses' order, then calls `all` once.
class Gather {
 public:
  Gather(const std::vector<std::string>& addresses, std::function<void(const std::vector<Answer>&)> all)
      : missing_(addresses.size()), all_(std::move(all)) {
    for (const auto& address : addresses) answers_.emplace_back(address, error("no answer"));
  }
  void put(std::size_t index, Result<std::string> answer) {
    answers_[index].second = std::move(answer);
    if (--missing_ == 0) all_(answers_);
  }

 private:
  std::vector<Answer> answers_;
  std::size_t missing_;
  std::function<void(const std::vector<Answer>&)> all_;
};

using HttpDone = std::function<void(Result<http::Response>)>;

/// One GET on a connection of its own: an old connection may outlive a server's ability to accept.
void get(Loop& loop, const std::string& address, const std::string& path, Duration timeout, HttpDone done) {
  std::shared_ptr<http::Client> client = http::Client::create(loop, {address});
  http::Request request;
  request.method = "GET";
  request.path = path;
  request.headers["host"] = address;
  client->call(std::move(request), timeout, [&loop, client, done = std::move(done)](Result<http::Response> response) {
    loop.post([client] {});  // not destroyed from within its own callback
    done(std::move(response));
  });
}

class LoopProber final : public Prober {
 public:
  explicit LoopProber(Loop& loop) : loop_(loop) {}

  void start(const StartProbe& probe, Done done) override {
    const std::weak_ptr<bool> alive = alive_;
    const auto give = [alive, id = probe.id, done = std::move(done)](const Verdict& verdict) {
      if (alive.lock()) done({id, verdict.ready, verdict.message});
    };
    if (probe.addresses.empty()) {
      loop_.post([give] { give({false, "it has no address yet"}); });
      return;
    }
    std::visit([&](const auto& kind) { run(kind, probe, give); }, probe.probe);
  }

 private:
  using Give = std::function<void(const Verdict&)>;

  void run(const specs::TcpProbe&, const StartProbe& probe, const Give& give) {
    const auto& address = probe.addresses.front();
    exchange(loop_, address, "", probe.timeout, [give, address](const Result<std::string>& answer) {
      give(answer ? Verdict{true, ""} : Verdict{false, address + ": " + answer.error().message});
    });
  }

  void run(const specs::HttpProbe& http, const StartProbe& probe, const Give& give) {
    const auto& address = probe.addresses.front();
    get(loop_, address, http.path, probe.timeout, [give, http, address](const Result<http::Response>& response) {
      give(response ? judge_http(http, response->status) : Verdict{false, address + ": " + response.error().message});
    });
  }

  void run(const specs::ExecProbe&, const StartProbe&, const Give& give) {
    loop_.post([give] { give({false, "exec probes are run by the agent"}); });
  }

  void run(const specs::ZookeeperProbe&, const StartProbe& probe, const Give& give) {
    const auto all =
        std::make_shared<Gather>(probe.addresses, [give](const auto& answers) { give(judge_zookeeper(answers)); });
    for (std::size_t i = 0; i < probe.addresses.size(); ++i)
      exchange(loop_, probe.addresses[i], "mntr", probe.timeout,
               [all, i](Result<std::string> answer) { all->put(i, std::move(answer)); });
  }

  void run(const specs::ElasticsearchProbe& elastic, const StartProbe& probe, const Give& give) {
    const auto all = std::make_shared<Gather>(probe.addresses, [give, wanted = elastic.status](const auto& answers) {
      give(judge_elasticsearch(answers, wanted));
    });
    for (std::size_t i = 0; i < probe.addresses.size(); ++i)
      get(loop_, probe.addresses[i], "/_cluster/health", probe.timeout, [all, i](Result<http::Response> response) {
        if (!response) return all->put(i, tl::unexpected(response.error()));
        all->put(i, std::move(response->body));
      });
  }

  void run(const specs::KafkaProbe& kafka, const StartProbe& probe, const Give& give) {
    auto& client = kafkas_[probe.key];
    if (!client || client->addresses() != probe.addresses) client = KafkaClient::create(loop_, probe.addresses);
    // First a plain connection each: refused at once, where librdkafka would sit its timeout out.
    const auto all = std::make_shared<Gather>(
        probe.addresses, [this, kafka, give, key = probe.key, thorough = probe.thorough, timeout = probe.timeout,
                          alive = std::weak_ptr<bool>(alive_)](const auto& answers) {
          for (const auto& [address, answer] : answers)
            if (!answer) return give({false, address + ": " + answer.error().message});
          if (alive.lock()) kafkas_[key]->probe(kafka.topics, thorough, timeout, give);
        });
    for (std::size_t i = 0; i < probe.addresses.size(); ++i)
      exchange(loop_, probe.addresses[i], "", probe.timeout,
               [all, i](Result<std::string> answer) { all->put(i, std::move(answer)); });
  }

  Loop& loop_;
  std::map<std::string, std::unique_ptr<KafkaClient>> kafkas_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Prober> make_prober(Loop& loop) { return std::make_unique<LoopProber>(loop); }

}  // namespace banyan::service
