// Any text as a node's JSON: refused with a reason, or a node whose own JSON gives it back.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/check.h"
#include "specs/node_json.h"

using namespace banyan;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto node = specs::node_from_json({reinterpret_cast<const char*>(data), size});
  if (!node) {
    BANYAN_CHECK(!node.error().message.empty());
    return 0;
  }
  const auto text = specs::to_json(*node);
  const auto back = specs::node_from_json(text);
  BANYAN_CHECK(back.has_value());
  BANYAN_CHECK(specs::to_json(*back) == text);
  return 0;
}
