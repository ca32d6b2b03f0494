#include "examples/logging-stack/src/elasticsearch.h"

#include <boost/json.hpp>
#include <utility>

namespace example {

namespace json = boost::json;
using banyan::Result;

namespace {

Result<json::value> parse(const std::string& text) {
  boost::system::error_code failed;
  json::value value = json::parse(text, failed);
  if (failed) return banyan::error("Elasticsearch's answer is not JSON: " + text.substr(0, 200));
  return value;
}

}  // namespace

Elasticsearch::Elasticsearch(std::vector<std::string> addresses) : servers_(std::move(addresses)) {}

Result<std::vector<Rejected>> Elasticsearch::index(const std::vector<Document>& documents) {
  std::string body;
  for (const Document& document : documents) {
    body += json::serialize(json::object{{"index", {{"_index", document.index}, {"_id", document.id}}}}) + "\n";
    body += document.source + "\n";
  }
  auto text = servers_.call("POST", "/_bulk", body);
  if (!text) return tl::unexpected(text.error());
  auto answer = parse(*text);
  if (!answer) return tl::unexpected(answer.error());
  std::vector<Rejected> rejected;
  if (!answer->at("errors").as_bool()) return rejected;
  const json::array& items = answer->at("items").as_array();
  for (std::size_t position = 0; position < items.size(); ++position) {
    const json::object& item = items[position].at("index").as_object();
    const auto status = item.at("status").as_int64();
    if (status / 100 == 2) continue;
    std::string reason = json::serialize(item);
    if (worth_another_try(status)) return banyan::error("POST /_bulk: " + reason.substr(0, 300));
    rejected.push_back({position, std::move(reason)});
  }
  return rejected;
}

Result<void> Elasticsearch::install_template(int replicas) {
  const json::object settings{
      {"number_of_shards", 1}, {"number_of_replicas", replicas}, {"index.unassigned.node_left.delayed_timeout", "5s"}};
  const json::object properties{{"id", {{"type", "keyword"}}},
                                {"n", {{"type", "long"}}},
                                {"ts", {{"type", "date"}}},
                                {"message", {{"type", "text"}}}};
  const json::object body{{"index_patterns", json::array{"lines-*", "unreadable"}},
                          {"template", {{"settings", settings}, {"mappings", {{"properties", properties}}}}}};
  return servers_.call("PUT", "/_index_template/lines", json::serialize(body)).map([](const std::string&) {});
}

Result<bool> Elasticsearch::finds(const std::string& id) {
  if (auto refreshed = servers_.call("POST", "/lines-*/_refresh", ""); !refreshed)
    return tl::unexpected(refreshed.error());
  const json::object query{{"query", {{"term", {{"id", id}}}}}, {"track_total_hits", true}, {"size", 0}};
  auto text = servers_.call("POST", "/lines-*/_search", json::serialize(query));
  if (!text) return tl::unexpected(text.error());
  auto answer = parse(*text);
  if (!answer) return tl::unexpected(answer.error());
  return answer->at("hits").at("total").at("value").as_int64() > 0;
}

}  // namespace example
