// One instance -> the task that runs it: command, files and environment rendered, TaskInfo built. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "banyan/handover.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "orchestrator/frameworks/service/instance.h"
#include "runtime/base/result.h"
#include "specs/stack.h"
#include "specs/template.h"

namespace banyan::service {

namespace v1 = ::mesos::v1;

/// A file of the sandbox, rendered. The shell gives it to an artifact server and adds its URI to the task.
struct RenderedFile {
  std::string target;  ///< relative to the sandbox
  std::uint32_t mode = 0644;
  std::string content;
  bool operator==(const RenderedFile&) const = default;
};

/// Everything that templates decide about one launch.
struct RenderedTask {
  v1::CommandInfo command;         ///< with environment, user and the declared URIs
  std::vector<v1::Label> digests;  ///< sha256:<output_file> of declared URIs
  std::vector<RenderedFile> files;
  std::vector<v1::Volume> host_volumes;
  std::optional<v1::CheckInfo> check;  ///< from an exec readiness probe
};

/// placed: a server that has no place yet is left out, so that it keeps nobody who ran before from coming back.
enum class Peers { all, placed };
/// What templates of this instance may name. REQUIRES: every instance in `all` of the same node.
/// With `blind`, addresses of other nodes are a constant: what is rendered then changes only with the node itself.
[[nodiscard]] specs::View view_of(const specs::Node& node, const Handover& handover, const std::vector<Instance>& all,
                                  const Instance& instance, bool blind, Peers peers = Peers::all);

/// An error names the text that could not be rendered, and why.
[[nodiscard]] Result<RenderedTask> render(const specs::Node& node, const specs::Server& server,
                                          const Handover& handover, const specs::View& view);

/// Equal iff an instance launched now would run the same thing in the same place: `spec_hash` is the judge's word on
/// its specification (specs/change.h), the rest changes when it or a peer lives elsewhere. 16 hexadecimal digits.
/// Without `spec_hash`: as records of schema 1 have it.
[[nodiscard]] std::string fingerprint(const RenderedTask& task, const specs::Server& server, const Place& place,
                                      const std::string& spec_hash);

/// Other nodes' addresses by "node.endpoints.name", comma-separated.
[[nodiscard]] std::map<std::string, std::string> addresses_of(const Handover& handover);
/// Those of them that stand in what was rendered.
[[nodiscard]] std::map<std::string, std::string> addresses_in(const specs::Node& node, const specs::Server& server,
                                                              const Handover& handover, const specs::View& view,
                                                              const RenderedTask& rendered);

/// "logging.kafka.kafka-0.3"
[[nodiscard]] std::string task_id(const Handover& handover, const std::string& instance, std::uint32_t attempt);

/// The message for LAUNCH. `resources` come from the offer; files are not in it yet.
[[nodiscard]] v1::TaskInfo task_info(const Handover& handover, const specs::Node& node, const specs::Server& server,
                                     const Instance& instance, const RenderedTask& rendered,
                                     const std::vector<v1::Resource>& resources);

/// Adds a served file to a task: its URI, and its digest as a label.
void add_file(v1::TaskInfo& task, const RenderedFile& file, const std::string& url, const std::string& sha256);

/// `stack.node`'s own endpoints by instance order, host:port. Empty until every instance of the server has a place.
[[nodiscard]] std::vector<std::string> addresses_of(const specs::Node& node, const std::vector<Instance>& all,
                                                    const specs::EndpointSpec& endpoint);

}  // namespace banyan::service
