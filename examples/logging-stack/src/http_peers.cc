#include "examples/logging-stack/src/http_peers.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <utility>

namespace example {

using banyan::Result;

namespace {

constexpr long connect_timeout_ms = 1000;
constexpr long answer_timeout_ms = 15000;  ///< a cluster that elects a master holds writes back for seconds

struct Answer {
  long status = 0;
  std::string body;
};

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(bytes, size * count);
  return size * count;
}

}  // namespace

struct HttpPeers::Connection {
  std::vector<std::string> addresses;
  std::size_t present = 0;
  CURL* curl = curl_easy_init();
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");

  Result<Answer> send(const std::string& method, const std::string& path, const std::string& body) {
    Answer answer;
    curl_easy_reset(curl);
    const std::string url = "http://" + addresses[present] + path;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, answer_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
    if (!body.empty()) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    }
    if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK)
      return banyan::error(fmt::format("{} {}: {}", method, url, curl_easy_strerror(code)));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    return answer;
  }
};

HttpPeers::HttpPeers(std::vector<std::string> addresses) : connection_(std::make_unique<Connection>()) {
  connection_->addresses = std::move(addresses);
}

HttpPeers::HttpPeers(HttpPeers&& other) noexcept = default;

HttpPeers::~HttpPeers() {
  if (!connection_) return;
  curl_slist_free_all(connection_->headers);
  curl_easy_cleanup(connection_->curl);
}

Result<std::string> HttpPeers::call(const std::string& method, const std::string& path, const std::string& body) {
  std::string why = "no address is known";
  for (std::size_t tried = 0; tried < connection_->addresses.size(); ++tried) {
    auto answer = connection_->send(method, path, body);
    if (answer && answer->status / 100 == 2) return std::move(answer->body);
    why = answer ? fmt::format("{} {}: {} {}", method, path, answer->status, answer->body.substr(0, 300))
                 : answer.error().message;
    if (answer && !worth_another_try(answer->status)) break;
    connection_->present = (connection_->present + 1) % connection_->addresses.size();
  }
  return banyan::error(why);
}

}  // namespace example
