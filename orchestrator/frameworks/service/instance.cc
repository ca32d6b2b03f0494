#include "orchestrator/frameworks/service/instance.h"

#include <boost/json.hpp>

namespace banyan::service {

namespace json = boost::json;

std::string encode(const Record& r) {
  json::object ports;
  for (const auto& [name, number] : r.place.ports) ports[name] = number;
  json::array held(r.place.held.begin(), r.place.held.end());
  return json::serialize(json::object{{"agent", r.place.agent},
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
                                      {"why", r.why}});
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
    return r;
  } catch (const std::exception& e) {
    return error(std::string("instance record is damaged: ") + e.what());
  }
}

}  // namespace banyan::service
