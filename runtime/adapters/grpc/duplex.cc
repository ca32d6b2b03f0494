#include "runtime/adapters/grpc/duplex.h"

#include <grpcpp/generic/generic_stub.h>

namespace banyan::grpc_link {
namespace {

/// A channel that leads nowhere, and the one call on it that makes it take a share of gRPC's callback queue.
struct Hold {
  std::shared_ptr<grpc::Channel> channel = grpc::CreateCustomChannel("", nullptr, grpc::ChannelArguments());
  grpc::ClientContext context;
  grpc::Slice nothing;
  grpc::ByteBuffer request{&nothing, 1};
  grpc::ByteBuffer response;
};

}  // namespace

void hold_callback_queue() {
  static const Hold* const held = [] {
    auto* hold = new Hold;  // for the life of the process
    grpc::GenericStub(hold->channel)
        .UnaryCall(&hold->context, "/", grpc::StubOptions(), &hold->request, &hold->response, [](grpc::Status) {});
    return hold;
  }();
  static_cast<void>(held);
}

}  // namespace banyan::grpc_link
