#include "specs/template.h"

#include <optional>

#include "specs/expression.h"
#include "specs/report.h"

namespace banyan::specs {

namespace {

/// A template of a few bytes must not fill the memory through a join over many peers.
constexpr std::size_t rendered_bytes_max = 16u << 20;

/// "127.0.0.1:9092" at its last colon, so that "[::1]:9092" works too.
std::pair<std::string, std::string> host_and_port(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return {address, {}};
  return {address.substr(0, colon), address.substr(colon + 1)};
}

Result<std::string> port_of(const InstanceView& instance, const std::string& port) {
  const auto found = instance.ports.find(port);
  if (found == instance.ports.end()) return error(instance.name + " has no port " + quoted(port));
  return std::to_string(found->second);
}

std::string field_of(const InstanceView& instance, InstanceField field) {
  switch (field) {
    case InstanceField::index: return std::to_string(instance.index);
    case InstanceField::number: return std::to_string(instance.index + 1);
    case InstanceField::name: return instance.name;
    case InstanceField::host: return instance.host;
  }
  return {};
}

/// Appends `item` of every peer; stops at the first error.
template <class Item>
Result<std::string> for_peers(const View& view, const std::string& separator, Item item) {
  std::string out;
  for (const auto& peer : view.peers) {
    if (&peer != &view.peers.front()) out += separator;
    const auto text = item(peer);
    if (!text) return text;
    out += *text;
    if (out.size() > rendered_bytes_max) return error("the rendered text is longer than 16 MiB");
  }
  return out;
}

struct Renderer {
  const View& view;

  Result<std::string> operator()(const VarName& v) const {
    return error("${vars." + v.name + "} was not substituted when the stack was loaded");
  }
  Result<std::string> operator()(const PortName& p) const { return port_of(view.instance, p.name); }
  Result<std::string> operator()(const VolumeName& v) const {
    const auto found = view.instance.volumes.find(v.name);
    if (found == view.instance.volumes.end()) return error(view.instance.name + " has no volume " + quoted(v.name));
    return found->second;
  }
  Result<std::string> operator()(const InstanceWord& w) const { return field_of(view.instance, w.field); }
  Result<std::string> operator()(const PeersWord& w) const {
    return for_peers(view, ",", [&](const InstanceView& peer) {
      return port_of(peer, w.port).map([&](const std::string& port) { return peer.host + ":" + port; });
    });
  }
  Result<std::string> operator()(const EndpointName& e) const {
    const auto found = view.endpoints.find(e.node + ".endpoints." + e.name);
    if (found == view.endpoints.end()) return error("no endpoint " + quoted(e.name) + " of " + quoted(e.node));
    const auto& addresses = found->second;
    if (e.pick == Pick::all) {
      std::string list;
      for (const auto& address : addresses) list += (list.empty() ? "" : ",") + address;
      return list;
    }
    if (addresses.empty()) return error(e.node + ".endpoints." + e.name + " has no address yet");
    const auto& first = addresses.front();
    switch (e.pick) {
      case Pick::host: return host_and_port(first).first;
      case Pick::port: return host_and_port(first).second;
      case Pick::url: return "http://" + first;
      default: return first;
    }
  }
  Result<std::string> operator()(const Join& join) const {
    return for_peers(view, join.separator, [&](const InstanceView& peer) -> Result<std::string> {
      std::string out;
      for (const auto& piece : join.pieces) {
        out += piece.literal;
        if (const auto* word = std::get_if<InstanceWord>(&piece.word)) out += field_of(peer, word->field);
        if (const auto* name = std::get_if<PortName>(&piece.word)) {
          const auto port = port_of(peer, name->name);
          if (!port) return port;
          out += *port;
        }
      }
      return out;
    });
  }
};

}  // namespace

Result<std::string> render_template(std::string_view text, const View& view) {
  const auto segments = cut(text);
  if (segments.unclosed != std::string_view::npos) return error("a ${ is never closed");
  std::string out;
  for (const auto& segment : segments.all) {
    out += segment.literal;
    if (segment.length == 0) continue;
    const auto expression = parse_expression(segment.expression);
    if (!expression) return error("${" + printable(segment.expression) + "}: " + expression.error().message);
    const auto value = std::visit(Renderer{view}, *expression);
    if (!value) return error("${" + printable(segment.expression) + "}: " + value.error().message);
    out += *value;
    if (out.size() > rendered_bytes_max) return error("the rendered text is longer than 16 MiB");
  }
  return out;
}

References references(std::string_view text) {
  References out;
  const auto segments = cut(text);
  for (const auto& segment : segments.all) {
    if (segment.length == 0) continue;
    if (const auto expression = parse_expression(segment.expression); !expression)
      out.errors.emplace_back(segment.offset, expression.error().message);
    else out.found.push_back({segment.expression, segment.offset, segment.length});
  }
  if (segments.unclosed != std::string_view::npos) out.errors.emplace_back(segments.unclosed, "${ is never closed");
  return out;
}

}  // namespace banyan::specs
