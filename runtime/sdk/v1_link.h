// V1Link: the HTTP of the v1 scheduler and executor APIs, as the SDK's cores ask for it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "runtime/adapters/http/client.h"
#include "runtime/sdk/core/subscription.h"

namespace banyan {
class Loop;
}

namespace banyan::sdk {

/// One stream at a time and one connection for calls, protobuf bodies. Reports with the numbers it was given; the core
/// knows which are stale. THREADS: the loop's.
class V1Link {
 public:
  using Report = std::variant<StreamOpened, StreamRecord, StreamClosed, CallAnswered>;

  template <class Sink>
  V1Link(Loop& loop, Sink sink)
      : loop_(loop), report_([sink](Report report) { std::visit(sink, std::move(report)); }) {}
  ~V1Link();
  V1Link(const V1Link&) = delete;
  V1Link& operator=(const V1Link&) = delete;

  void operator()(const OpenStream& open);
  void operator()(const CloseStream& close);
  void operator()(const SendCall& call);

 private:
  Loop& loop_;
  std::function<void(Report)> report_;
  std::unique_ptr<http::StreamCall> stream_;
  std::uint64_t stream_number_ = 0;
  std::unique_ptr<http::Client> calls_;
  std::string calls_server_;
};

}  // namespace banyan::sdk
