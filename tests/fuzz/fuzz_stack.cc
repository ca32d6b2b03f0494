// Any bytes as a stack file: load() answers with a stack or with errors, and what it accepts can be planned and sent.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/base/check.h"
#include "specs/load.h"
#include "specs/node_json.h"
#include "specs/plan.h"

using namespace banyan;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  specs::Source source;
  source.file = "stack.yaml";
  source.text.assign(reinterpret_cast<const char*>(data), size);
  source.profile = size % 3 == 0 ? "small" : "";
  source.vars = size % 5 == 0 ? std::map<std::string, std::string>{{"servers", "2"}} : decltype(source.vars){};
  // The file's own end is its template: fuzzed along with it.
  source.read_file = [&](const std::string& path) -> Result<std::string> {
    if (path.size() % 2 == 1) return error("no such file");
    return source.text.substr(source.text.size() / 2);
  };
  const auto loaded = specs::load(source);
  const bool refused =
      std::ranges::any_of(loaded.diagnostics, [](const auto& d) { return d.severity == specs::Severity::error; });
  BANYAN_CHECK(loaded.stack.has_value() == !refused);
  BANYAN_CHECK(loaded.diagnostics.size() <= 101);
  const auto shown = specs::render(loaded);
  BANYAN_CHECK(shown.empty() == loaded.diagnostics.empty());
  for (const char c : shown) BANYAN_CHECK(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  BANYAN_CHECK(!specs::render_json(loaded.diagnostics).empty());
  if (!loaded.stack) return 0;
  const auto steps = specs::plan(*loaded.stack);
  BANYAN_CHECK(steps.size() == loaded.stack->nodes.size());
  for (const auto& change : specs::compare(*loaded.stack, *loaded.stack))
    BANYAN_CHECK(change.kind == specs::StackChange::Kind::unchanged);
  for (const auto& node : loaded.stack->nodes) {
    const auto text = specs::to_json(node);
    const auto back = specs::node_from_json(text);
    BANYAN_CHECK(back.has_value());
    BANYAN_CHECK(specs::to_json(*back) == text);
  }
  return 0;
}
