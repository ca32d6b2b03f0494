// The agent <-> master stream over gRPC. Reactors only enqueue: every callback runs on the Loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/result.h"

namespace banyan::agent_link {
class FromAgent;
class ToAgent;
}  // namespace banyan::agent_link

namespace banyan {
class Loop;

/// The master's end: any number of agents, each a link with a number of its own.
class AgentLinkServer {
 public:
  using LinkId = std::uint64_t;
  struct Callbacks {
    std::function<void(LinkId, const agent_link::FromAgent&)> message;
    std::function<void(LinkId)> closed;  ///< once per link, last
  };
  /// `address`: "127.0.0.1:0" picks a port. Survives EMFILE (own accept loop; gRPC 1.51 does not).
  static Result<std::unique_ptr<AgentLinkServer>> listen(Loop& loop, const std::string& address, Callbacks callbacks);
  virtual ~AgentLinkServer() = default;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  virtual void send(LinkId link, const agent_link::ToAgent& message) = 0;  ///< to a closed link: dropped
  virtual void close(LinkId link) = 0;
};

/// The agent's end: keeps trying (50 ms to 1 s apart) until destroyed.
class AgentLinkClient {
 public:
  struct Callbacks {
    std::function<void()> opened;  ///< connected: send Register first
    std::function<void(const agent_link::ToAgent&)> message;
    std::function<void(std::string reason)> closed;  ///< once per opened()
  };
  static std::unique_ptr<AgentLinkClient> connect(Loop& loop, const std::string& address, Callbacks callbacks);
  virtual ~AgentLinkClient() = default;
  virtual void send(const agent_link::FromAgent& message) = 0;  ///< while not open: dropped
  virtual void reset() = 0;  ///< drop the present stream and connect anew (the master has gone silent)
};

}  // namespace banyan
