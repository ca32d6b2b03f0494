#include "orchestrator/frameworks/service/instance.h"

#include <boost/json.hpp>

namespace banyan::service {

namespace json = boost::json;

std::string encode(const Record& r) {
  json::object ports;
  for (const auto& [name, number] : r.place.ports) ports[name] = number;
  json::array held(r.place.held.begin(), r.place.held.end());
  json::array avoids(r.place.avoids.begin(), r.place.avoids.end());
  json::object out{{"schema", r.schema},
                   {"agent", r.place.agent},
                   {"host", r.place.host},
                   {"volumes", r.place.volumes},
                   {"ports", std::move(ports)},
                   {"held", std::move(held)},
                   {"attempt", r.attempt},
                   {"task", r.task},
                   {"fingerprint", r.fingerprint},
                   {"restart", r.restart},
                   {"restarts", r.restarts},
                   {"completed", r.completed},
                   {"failed", r.failed},
                   {"quarantined", r.quarantined},
                   {"why", r.why},
                   {"avoids", std::move(avoids)},
                   {"launched", r.launched},
                   {"launched_ports", json::value_from(r.ports)},
                   {"launched_with", json::value_from(r.launched_with)},
                   {"strangers", json::value_from(r.strangers)}};
  if (r.listens) out["listens"] = json::value_from(*r.listens);
  return json::serialize(out);
}

namespace {

/// What records of schema 1 lack.
void decode_newer(const json::object& o, Record& r) {
  r.place.avoids = json::value_to<std::set<std::uint16_t>>(o.at("avoids"));
  r.launched = json::value_to<std::string>(o.at("launched"));
  r.ports = json::value_to<std::map<std::string, std::uint16_t>>(o.at("launched_ports"));
  r.launched_with = json::value_to<std::map<std::string, std::string>>(o.at("launched_with"));
  r.strangers = json::value_to<std::map<std::string, std::string>>(o.at("strangers"));
  if (const auto* listens = o.if_contains("listens")) r.listens = json::value_to<std::set<std::string>>(*listens);
}

}  // namespace

std::string held_by(const Record& record, specs::Transport protocol, std::uint16_t port) {
  const auto key = (protocol == specs::Transport::tcp ? "tcp/" : "udp/") + std::to_string(port);
  const auto found = record.strangers.find(key);
  if (found == record.strangers.end() || (record.listens && record.listens->contains(key))) return "";
  const auto slash = found->second.find('/');
  return "pid " + found->second.substr(0, slash) +
         (slash == std::string::npos ? "" : " (" + found->second.substr(slash + 1) + ")");
}

Result<Record> decode_record(std::string_view text) {
  try {
    const auto value = json::parse(text);
    const auto& o = value.as_object();
    const auto word = [&](const char* key) { return json::value_to<std::string>(o.at(key)); };
    Record r;
    r.place.agent = word("agent");
    r.place.host = word("host");
    if (o.contains("volumes")) r.place.volumes = word("volumes");  // earlier records have none
    for (const auto& [name, number] : o.at("ports").as_object())
      r.place.ports[std::string(name)] = json::value_to<std::uint16_t>(number);
    for (const auto& key : o.at("held").as_array()) r.place.held.insert(json::value_to<std::string>(key));
    r.attempt = json::value_to<std::uint32_t>(o.at("attempt"));
    r.task = word("task");
    r.fingerprint = word("fingerprint");
    r.restart = json::value_to<std::uint64_t>(o.at("restart"));
    r.restarts = json::value_to<std::uint32_t>(o.at("restarts"));
    r.completed = o.at("completed").as_bool();
    r.failed = o.at("failed").as_bool();
    r.quarantined = o.at("quarantined").as_bool();
    r.why = word("why");
    r.schema = o.contains("schema") ? json::value_to<std::uint32_t>(o.at("schema")) : 1;
    if (r.schema > 2) return error("instance record was written by a newer Banyan");
    if (r.schema == 1) r.ports = r.place.ports;
    else decode_newer(o, r);
    return r;
  } catch (const std::exception& e) {
    return error(std::string("instance record is damaged: ") + e.what());
  }
}

}  // namespace banyan::service
