// Any text as a template: rendering ends, stays within its bound, and agrees with the check made at load.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/check.h"
#include "specs/template.h"

using namespace banyan;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  specs::View view;
  for (std::uint32_t i = 0; i < 3; ++i)
    view.peers.push_back({i, "a-" + std::to_string(i), "127.0.0.1", {{"p", 1}, {"client", 2}}, {{"v", "/v"}}});
  view.instance = view.peers[1];
  view.endpoints = {{"a.endpoints.e", {"127.0.0.1:1", "[::1]:2"}}, {"b.endpoints.e", {}}};
  const auto rendered = specs::render_template(text, view);
  if (rendered) BANYAN_CHECK(rendered->size() <= 16u << 20);
  const auto found = specs::references(text);
  if (!found.errors.empty()) BANYAN_CHECK(!rendered);
  for (const auto& reference : found.found) {
    BANYAN_CHECK(reference.offset + reference.length <= size);
    BANYAN_CHECK(text.substr(reference.offset + 2, reference.length - 3) == reference.expression);
  }
  if (found.found.empty() && found.errors.empty()) BANYAN_CHECK(rendered.has_value());
  return 0;
}
