// What stands between ${ and }. Internal to specs/: template.h is the way in.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/result.h"

namespace banyan::specs {

struct VarName {
  std::string name;
};  ///< vars.NAME
struct PortName {
  std::string name;
};  ///< ports.NAME
struct VolumeName {
  std::string name;
};  ///< volumes.NAME
enum class InstanceField { index, number, name, host };
struct InstanceWord {
  InstanceField field = InstanceField::index;
};  ///< instance.FIELD
struct PeersWord {
  std::string port;
};  ///< peers.PORT
enum class Pick { all, first, host, port, url };
struct EndpointName {  ///< NODE.endpoints.NAME[.PICK]
  std::string node;
  std::string name;
  Pick pick = Pick::all;
};
/// `join peers SEP TEXT`: TEXT for every peer, SEP between. Texts are unescaped, TEXT is cut at its {…}.
struct JoinPiece {
  std::string literal;
  std::variant<std::monostate, InstanceWord, PortName> word;  ///< comes after the literal
};
struct Join {
  std::string separator;
  std::vector<JoinPiece> pieces;
};

using Expression = std::variant<VarName, PortName, VolumeName, InstanceWord, PeersWord, EndpointName, Join>;

[[nodiscard]] Result<Expression> parse_expression(std::string_view text);

/// A text cut at its ${…}: a literal (with `$$` read as `$`), then an expression if there is one.
struct Segment {
  std::string literal;
  std::string expression;  ///< between the braces
  std::size_t offset = 0;  ///< of its `$`
  std::size_t length = 0;  ///< of the whole ${…}; 0: no expression (the last segment)
};
struct Segments {
  std::vector<Segment> all;
  std::size_t unclosed = std::string_view::npos;  ///< offset of a `${` that is never closed
};
[[nodiscard]] Segments cut(std::string_view text);

/// The words an expression may begin with, as shown to people.
inline constexpr std::string_view expression_forms =
    "vars.NAME, ports.NAME, volumes.NAME, instance.index|number|name|host, peers.PORT, NODE.endpoints.NAME and "
    "join peers SEP TEXT";

}  // namespace banyan::specs
