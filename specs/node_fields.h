// Every field of a node once, with its name on the wire: what the writer and the reader of node_json.cc share, and
// what change.cc judges and names in its reasons. Internal to specs/.
#pragma once

#include "specs/stack.h"

namespace banyan::specs {

// fields(archive, value) calls archive(name, member) for each member, in a fixed order.

template <class A>
void fields(A& a, Position& v) {
  a("line", v.line), a("column", v.column);
}
template <class A>
void fields(A& a, Text& v) {
  a("text", v.text), a("at", v.at);
}
template <class A>
void fields(A& a, Resources& v) {
  a("cpus_milli", v.cpus_milli), a("mem", v.mem_bytes), a("disk", v.disk_bytes);
}
template <class A>
void fields(A& a, Command& v) {
  a("argv", v.argv), a("shell", v.shell);
}
template <class A>
void fields(A& a, Uri& v) {
  a("uri", v.value), a("sha256", v.sha256), a("extract", v.extract), a("executable", v.executable);
  a("cache", v.cache), a("output", v.output), a("local_sha256", v.local_sha256);
}
template <class A>
void fields(A& a, File& v) {
  a("target", v.target), a("source", v.source), a("content", v.content), a("mode", v.mode), a("at", v.at);
}
template <class A>
void fields(A& a, Port& v) {
  a("fixed", v.fixed), a("at", v.at), a("protocol", v.protocol);
}
template <class A>
void fields(A& a, VolumeSpec& v) {
  a("size", v.size_bytes), a("host_path", v.host_path), a("path", v.path), a("at", v.at);
}
template <class A>
void fields(A& a, TcpProbe& v) {
  a("port", v.port);
}
template <class A>
void fields(A& a, HttpProbe& v) {
  a("port", v.port), a("path", v.path), a("status_min", v.status_min), a("status_max", v.status_max);
}
template <class A>
void fields(A& a, ExecProbe& v) {
  a("command", v.command);
}
template <class A>
void fields(A& a, ZookeeperProbe& v) {
  a("port", v.port);
}
template <class A>
void fields(A& a, KafkaProbe& v) {
  a("port", v.port), a("topics", v.topics);
}
template <class A>
void fields(A& a, ElasticsearchProbe& v) {
  a("port", v.port), a("status", v.status);
}
template <class A>
void fields(A& a, Readiness& v) {
  a("probe", v.probe), a("interval", v.interval), a("timeout", v.timeout), a("start_period", v.start_period);
  a("hold_for", v.hold_for), a("at", v.at);
}
template <class A>
void fields(A& a, Restart& v) {
  a("policy", v.policy), a("max", v.max), a("within", v.within);
  a("backoff_min", v.backoff_min), a("backoff_max", v.backoff_max);
}
template <class A>
void fields(A& a, Stop& v) {
  a("grace", v.grace), a("order", v.order);
}
template <class A>
void fields(A& a, Server& v) {
  a("name", v.name), a("command", v.command), a("instances", v.instances), a("resources", v.resources);
  a("uris", v.uris), a("files", v.files), a("env", v.env), a("ports", v.ports), a("volumes", v.volumes);
  a("user", v.user), a("readiness", v.readiness), a("restart", v.restart), a("stop", v.stop), a("at", v.at);
}
template <class A>
void fields(A& a, EndpointSpec& v) {
  a("server", v.server), a("port", v.port), a("protocol", v.protocol), a("at", v.at);
}
template <class A>
void fields(A& a, Edge& v) {
  a("on", v.on), a("condition", v.condition), a("required", v.required), a("timeout", v.timeout);
  a("implied", v.implied), a("origin", v.origin), a("file", v.file), a("at", v.at);
}
template <class A>
void fields(A& a, SchedulerReadiness& v) {
  a("kind", v.kind), a("command", v.command), a("interval", v.interval), a("timeout", v.timeout);
  a("hold_for", v.hold_for);
}
template <class A>
void fields(A& a, SchedulerSpec& v) {
  a("service", v.service), a("command", v.command), a("uris", v.uris), a("resources", v.resources);
  a("env", v.env), a("signal_on_change", v.signal_on_change), a("readiness", v.readiness);
}
template <class A>
void fields(A& a, Node& v) {
  a("name", v.name), a("scheduler", v.scheduler), a("servers", v.servers), a("edges", v.edges);
  a("endpoints", v.endpoints), a("goal", v.goal), a("stop", v.stop), a("user", v.user), a("at", v.at);
}

template <class A>
void fields(A& a, Stack& v) {
  a("name", v.name), a("file", v.file), a("nodes", v.nodes), a("files", v.files);
}

/// Names of a probe's kinds, by the variant's index.
inline constexpr const char* probe_kinds[] = {"tcp", "http", "exec", "zookeeper", "kafka", "elasticsearch"};
static_assert(std::size(probe_kinds) == std::variant_size_v<Probe>);

}  // namespace banyan::specs
