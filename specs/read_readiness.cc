// readiness: { tcp: client, interval: 1s } — or a list of such.
#include "specs/drafts.h"

namespace banyan::specs {

namespace {

using namespace std::chrono_literals;

/// One probe under construction.
struct ProbeDraft {
  Readiness readiness;
  ServerDraft& server;
  std::string port;
  const Value* kind = nullptr;  ///< the key that says which probe it is
};

void read_port(Reader& r, const Value& v, ProbeDraft& d) {
  const auto name = r.text(v, "port");
  if (!name) return;
  d.port = *name;
  d.server.probed_ports.emplace_back(*name, v.where());
}

void read_status(Reader& r, const Value& v, HttpProbe& probe) {
  const auto text = r.text(v, "status");
  if (!text) return;
  const auto dash = text->find('-');
  const auto low = parse_integer(text->substr(0, dash));
  const auto high = dash == std::string::npos ? low : parse_integer(text->substr(dash + 1));
  if (!low || !high || *low < 100 || *high > 599 || *low > *high) {
    r.report().add("E205", v.where(), "status must be a code or a range of codes, not " + quoted(*text),
                   "such as 200 or 200-399");
    return;
  }
  probe.status_min = static_cast<std::uint32_t>(*low);
  probe.status_max = static_cast<std::uint32_t>(*high);
}

template <class Probe>
struct Detail {
  ProbeDraft& draft;
  Probe probe;
};

template <class Probe>
constexpr Field<Detail<Probe>> port_field = {
    "port", [](Reader& r, const Value& v, Detail<Probe>& d) { read_port(r, v, d.draft); }};

constexpr std::array<Field<Detail<TcpProbe>>, 1> tcp_fields = {{port_field<TcpProbe>}};
constexpr std::array<Field<Detail<ZookeeperProbe>>, 1> zookeeper_fields = {{port_field<ZookeeperProbe>}};
constexpr std::array<Field<Detail<HttpProbe>>, 3> http_fields = {{
    port_field<HttpProbe>,
    {"path",
     [](Reader& r, const Value& v, Detail<HttpProbe>& d) {
       const auto path = r.text(v, "path");
       if (!path) return;
       if (path->starts_with('/') && path->find_first_of(" \r\n") == std::string::npos) d.probe.path = *path;
       else r.report().add("E212", v.where(), "the path of an HTTP probe begins with \"/\" and has no space");
     }},
    {"status", [](Reader& r, const Value& v, Detail<HttpProbe>& d) { read_status(r, v, d.probe); }},
}};
constexpr std::array<Field<Detail<KafkaProbe>>, 2> kafka_fields = {{
    port_field<KafkaProbe>,
    {"topics",
     [](Reader& r, const Value& v, Detail<KafkaProbe>& d) {
       if (!r.is_list(v, "topics")) return;
       for (const auto* item : v.items)
         if (auto topic = r.text(*item, "a topic")) d.probe.topics.push_back(std::move(*topic));
     }},
}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> colours = {
    {{"green", "green"}, {"yellow", "yellow"}}};
constexpr std::array<Field<Detail<ElasticsearchProbe>>, 2> elasticsearch_fields = {{
    port_field<ElasticsearchProbe>,
    {"status",
     [](Reader& r, const Value& v, Detail<ElasticsearchProbe>& d) {
       std::string_view status = "green";
       r.choice(v, "status", colours, status);
       d.probe.status = status;
     }},
}};

constexpr std::array<Field<ExecProbe>, 1> exec_fields = {{
    {"command", [](Reader& r, const Value& v, ExecProbe& p) { r.command(v, "command", p.command); }},
}};

/// `tcp: client`, or `tcp: { port: client, … }`.
template <class Probe, std::size_t N>
void read_kind(Reader& r, const Value& v, ProbeDraft& d, std::string_view what,
               const std::array<Field<Detail<Probe>>, N>& fields) {
  Detail<Probe> detail{d, {}};
  if (v.is_scalar()) read_port(r, v, d);
  else if (!r.fields(v, what, Fields<Detail<Probe>>(fields), detail)) return;
  else if (v.find("port") == nullptr && !Reader::meant(v, "port"))
    r.report().add("E202", v.where(), "the " + std::string(what) + " probe lacks its port", "write port: NAME");
  detail.probe.port = d.port;
  d.readiness.probe = std::move(detail.probe);
}

constexpr std::array<Field<ProbeDraft>, 13> probe_fields = {{
    {"tcp", [](Reader& r, const Value& v, ProbeDraft& d) { read_kind(r, v, d, "tcp", tcp_fields); }},
    {"http", [](Reader& r, const Value& v, ProbeDraft& d) { read_kind(r, v, d, "http", http_fields); }},
    {"exec",
     [](Reader& r, const Value& v, ProbeDraft& d) {
       ExecProbe probe;
       if (!v.is_map()) r.command(v, "exec", probe.command);
       else if (r.fields(v, "exec", Fields<ExecProbe>(exec_fields), probe) && v.keys.empty())
         r.report().add("E202", v.where(), "the exec probe lacks its command", "write exec: [program, argument, …]");
       d.readiness.probe = std::move(probe);
     }},
    {"zookeeper", [](Reader& r, const Value& v, ProbeDraft& d) { read_kind(r, v, d, "zookeeper", zookeeper_fields); }},
    {"kafka", [](Reader& r, const Value& v, ProbeDraft& d) { read_kind(r, v, d, "kafka", kafka_fields); }},
    {"elasticsearch",
     [](Reader& r, const Value& v, ProbeDraft& d) { read_kind(r, v, d, "elasticsearch", elasticsearch_fields); }},
    {"interval",
     [](Reader& r, const Value& v, ProbeDraft& d) { r.duration(v, "interval", 10ms, d.readiness.interval); }},
    {"timeout", [](Reader& r, const Value& v, ProbeDraft& d) { r.duration(v, "timeout", 10ms, d.readiness.timeout); }},
    {"start_period",
     [](Reader& r, const Value& v, ProbeDraft& d) { r.duration(v, "start_period", 0s, d.readiness.start_period); }},
    {"hold_for", [](Reader& r, const Value& v, ProbeDraft& d) { r.duration(v, "hold_for", 0s, d.readiness.hold_for); }},
    {"grpc", nullptr},
    {"log", nullptr},
    {"ruok", nullptr},
}};
constexpr std::size_t kinds = 6;  ///< the first of probe_fields

void read_probe(Reader& r, const Value& v, ServerDraft& server) {
  ProbeDraft draft{{}, server, {}, nullptr};
  draft.readiness.at = v.at;
  const auto errors = r.report().size();
  if (!r.fields(v, "readiness", Fields<ProbeDraft>(probe_fields), draft)) return;
  for (const auto* key : v.keys) {
    const auto kind = std::ranges::find(probe_fields, std::string_view(key->text), &Field<ProbeDraft>::name);
    if (kind - probe_fields.begin() >= static_cast<std::ptrdiff_t>(kinds)) continue;
    if (draft.kind != nullptr)
      r.report().add("E206", key->where(), "a readiness has one probe; this is a second one",
                     "write a list to have several: readiness: [ { … }, { … } ]");
    draft.kind = key;
  }
  if (draft.kind == nullptr) {
    if (r.report().size() == errors)
      r.report().add("E202", v.where(), "the readiness lacks its probe",
                     "write one of tcp, http, exec, zookeeper, kafka or elasticsearch");
    return;
  }
  server.server.readiness.push_back(std::move(draft.readiness));
}

}  // namespace

void read_readiness(Reader& r, const Value& v, ServerDraft& out) {
  if (!v.is_list()) return read_probe(r, v, out);
  for (const auto* item : v.items) read_probe(r, *item, out);
}

}  // namespace banyan::specs
