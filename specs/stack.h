// The stack language's result: a checked stack. Everything here is plain data; text -> Stack is load() in load.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/time.h"

namespace banyan::specs {

/// 1-based; columns count bytes.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const Position&) const = default;
};

/// A string that may hold ${…}. Stack variables are substituted at load; what is left (ports, volumes, instance,
/// peers, other nodes' endpoints) is rendered by the node's scheduler at each launch. See template.h.
struct Text {
  std::string text;
  Position at;
};

/// cpus in thousandths; mem and disk in bytes.
struct Resources {
  std::int64_t cpus_milli = 100;
  std::int64_t mem_bytes = 64 << 20;
  std::int64_t disk_bytes = 0;
};

/// Exec'd as it is (argv), or given to `sh -c` (shell).
struct Command {
  std::vector<Text> argv;
  std::optional<Text> shell;
  [[nodiscard]] bool empty() const { return argv.empty() && !shell; }
};

struct Uri {
  Text value;  ///< path, file:, http: or https:
  std::optional<std::string> sha256;
  bool extract = false;
  bool executable = false;
  bool cache = true;
  std::optional<std::string> output;  ///< name in the sandbox; default: the last path component
  /// What a local file held when the stack was loaded; of a relative path always. So a rebuilt program is a change.
  std::optional<std::string> local_sha256;
};

/// A file rendered into the sandbox at each launch.
struct File {
  std::string target;                 ///< relative path in the sandbox
  std::optional<std::string> source;  ///< path as written, relative to the stack file; its content is the template
  std::optional<Text> content;        ///< the template; load() reads it from `source` and substitutes the variables
  std::uint32_t mode = 0644;
  Position at;
};

enum class Transport { tcp, udp };
struct Port {
  std::optional<std::uint16_t> fixed;  ///< else: any offered port, then sticky
  Position at;
  Transport protocol = Transport::tcp;  ///< one number may be a tcp port and a udp port of one server
};

struct VolumeSpec {
  std::int64_t size_bytes = 0;    ///< a persistent volume of that size, sticky
  std::optional<Text> host_path;  ///< or a path on the host, shared by whoever names it (must exist)
  std::string path;               ///< where the sandbox shows it
  Position at;
};

struct TcpProbe {
  std::string port;
};
struct HttpProbe {
  std::string port;
  std::string path = "/";
  std::uint32_t status_min = 200, status_max = 399;
};
struct ExecProbe {
  Command command;
};
struct ZookeeperProbe {
  std::string port;
};  ///< mntr: a leader, all others in sync
struct KafkaProbe {
  std::string port;
  std::vector<std::string> topics;
};  ///< all brokers, a controller, a record comes back
struct ElasticsearchProbe {
  std::string port;
  std::string status = "green";
};  ///< health at least this, all nodes in
using Probe = std::variant<TcpProbe, HttpProbe, ExecProbe, ZookeeperProbe, KafkaProbe, ElasticsearchProbe>;

struct Readiness {
  Probe probe;
  Duration interval = std::chrono::milliseconds(500);  ///< between tries; the first ones come sooner
  Duration timeout = std::chrono::seconds(5);          ///< of one try
  Duration start_period = std::chrono::seconds(0);     ///< no try before this
  Duration hold_for = std::chrono::seconds(0);         ///< must keep passing for so long
  Position at;
};

enum class RestartPolicy { always, on_failure, never };
struct Restart {
  RestartPolicy policy = RestartPolicy::always;
  std::uint32_t max = 5;  ///< deaths before serving, within `within`
  Duration within = std::chrono::minutes(10);
  Duration backoff_min = std::chrono::milliseconds(200);
  Duration backoff_max = std::chrono::seconds(30);
};

enum class StopOrder { parallel, serial };  ///< serial: last instance first
struct Stop {
  Duration grace = std::chrono::seconds(10);
  StopOrder order = StopOrder::parallel;
};

/// One kind of server of a node.
struct Server {
  std::string name;
  Command command;
  std::uint32_t instances = 1;
  Resources resources;
  std::vector<Uri> uris;
  std::vector<File> files;
  std::map<std::string, Text> env;
  std::map<std::string, Port> ports;
  std::map<std::string, VolumeSpec> volumes;
  std::string user;  ///< USER or USER:GROUP, names or numbers; empty: the cluster's default
  std::vector<Readiness> readiness;
  Restart restart;
  Stop stop;
  Position at;
};

/// What a node offers to others: a named port of all instances of one of its servers.
struct EndpointSpec {
  std::string server;
  std::string port;
  std::string protocol;
  Position at;
};

enum class Condition { started, serving, completed };

struct Edge {
  std::string on;  ///< the node depended on
  Condition condition = Condition::serving;
  bool required = true;  ///< false: go on when it failed or its deadline passed
  Duration timeout = std::chrono::minutes(5);
  bool implied = false;  ///< by a ${…} reference
  std::string origin;    ///< "depends_on" or the reference as written
  std::string file;      ///< where the reference stands; empty: the stack file
  Position at;
};

enum class Goal { serving, running, completed };

/// When a scheduler given by command counts as up, if it does not say so itself.
struct SchedulerReadiness {
  enum class Kind {
    alive,       ///< while its process runs
    registered,  ///< while a framework with its id, its role or its name STACK.NODE is connected to the master
    exec,        ///< while `command` exits with 0
  };
  Kind kind = Kind::alive;
  Command command;
  Duration interval = std::chrono::seconds(1);  ///< between tries
  Duration timeout = std::chrono::seconds(5);   ///< of one try
  Duration hold_for = std::chrono::seconds(0);  ///< must keep passing for so long
};

/// The child scheduler itself.
struct SchedulerSpec {
  bool service = true;  ///< Banyan's own service scheduler
  Command command;      ///< else: this program
  std::vector<Uri> uris;
  Resources resources{100, 64 << 20, 0};
  std::map<std::string, Text> env;
  std::uint32_t signal_on_change = 0;  ///< a child that reads handover.json may name one
  SchedulerReadiness readiness;
};

struct Node {
  std::string name;
  SchedulerSpec scheduler;
  std::vector<Server> servers;
  std::vector<Edge> edges;  ///< declared and implied, one per node depended on
  std::map<std::string, EndpointSpec> endpoints;
  Goal goal = Goal::serving;
  Stop stop;  ///< order among the node's servers
  std::string user;
  Position at;
};

struct Stack {
  std::string name;
  std::string file;                ///< for messages
  std::vector<Node> nodes;         ///< in topological order, ties as written
  std::vector<std::string> files;  ///< every `source`, as written, sorted

  [[nodiscard]] const Node* find(const std::string& node) const {
    for (const auto& n : nodes)
      if (n.name == node) return &n;
    return nullptr;
  }
};

}  // namespace banyan::specs
