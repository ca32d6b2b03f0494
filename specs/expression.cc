#include "specs/expression.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace banyan::specs {

namespace {

template <class T>
using Words = std::initializer_list<std::pair<std::string_view, T>>;

template <class T>
std::optional<T> look_up(std::string_view word, Words<T> words) {
  for (const auto& [name, value] : words)
    if (name == word) return value;
  return std::nullopt;
}

std::optional<InstanceField> instance_field(std::string_view word) {
  return look_up<InstanceField>(word, {{"index", InstanceField::index},
                                       {"number", InstanceField::number},
                                       {"name", InstanceField::name},
                                       {"host", InstanceField::host}});
}

std::optional<Pick> pick_word(std::string_view word) {
  return look_up<Pick>(word, {{"first", Pick::first}, {"host", Pick::host}, {"port", Pick::port}, {"url", Pick::url}});
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::vector<std::string_view> split_at_dots(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const auto dot = text.find('.', from);
    parts.push_back(text.substr(from, dot - from));
    if (dot == std::string_view::npos) return parts;
    from = dot + 1;
  }
}

/// \n \t \\ \" as in C; everything else stays.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto next = i + 1 < text.size() ? text[i + 1] : '\0';
    const auto meant = look_up<char>(std::string_view(&next, 1), {{"n", '\n'}, {"t", '\t'}, {"\\", '\\'}, {"\"", '"'}});
    if (text[i] == '\\' && meant) {
      out += *meant;
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// One argument of join: a "quoted text" or everything up to the next space. Taken off `rest`.
std::optional<std::string> take_argument(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  std::size_t end = 0;
  std::size_t begin = 0;
  if (rest[0] == '"') {
    begin = end = 1;
    while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
    if (end >= rest.size()) return std::nullopt;
  } else {
    end = std::min(rest.find(' '), rest.size());
  }
  auto argument = unescape(rest.substr(begin, end - begin));
  rest.remove_prefix(std::min(end + begin, rest.size()));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return argument;
}

Result<std::vector<JoinPiece>> parse_join_text(std::string_view text) {
  std::vector<JoinPiece> pieces;
  for (std::size_t from = 0;;) {
    const auto open = text.find('{', from);
    const auto close = text.find('}', open == std::string_view::npos ? from : open);
    auto& piece = pieces.emplace_back();
    piece.literal = text.substr(from, open - from);
    if (open == std::string_view::npos) return pieces;
    if (close == std::string_view::npos) return error("a \"{\" is never closed");
    const auto word = text.substr(open + 1, close - open - 1);
    if (const auto field = instance_field(word)) {
      piece.word = InstanceWord{*field};
    } else if (word.starts_with("ports.") && is_word(word.substr(6))) {
      piece.word = PortName{std::string(word.substr(6))};
    } else {
      return error("{" + std::string(word) +
                   "} is not known inside join: {index}, {number}, {name}, {host} and "
                   "{ports.NAME} are");
    }
    from = close + 1;
  }
}

Result<Expression> parse_join(std::string_view rest) {
  constexpr std::string_view form = "join is written ${join peers SEPARATOR TEXT}";
  const auto list = take_argument(rest);
  if (list != "peers") return error(std::string(form));
  const auto separator = take_argument(rest);
  if (!separator || rest.empty()) return error(std::string(form));
  std::string text;
  if (rest[0] == '"') {
    const auto quoted_text = take_argument(rest);
    if (!quoted_text || !rest.empty()) return error("the quoted TEXT of join does not end with its quote");
    text = *quoted_text;
  } else {
    text = unescape(rest);
  }
  auto pieces = parse_join_text(text);
  if (!pieces) return tl::unexpected(pieces.error());
  return Join{*separator, std::move(*pieces)};
}

}  // namespace

Result<Expression> parse_expression(std::string_view text) {
  if (text == "join" || text.starts_with("join ")) {
    text.remove_prefix(4);
    while (text.starts_with(' ')) text.remove_prefix(1);
    return parse_join(text);
  }
  const auto parts = split_at_dots(text);
  const auto unknown = [] { return error("known are " + std::string(expression_forms)); };
  if (parts.size() < 2 || !std::ranges::all_of(parts, is_word)) return unknown();
  const std::string second(parts[1]);
  if (parts.size() == 2) {
    if (parts[0] == "vars") return VarName{second};
    if (parts[0] == "ports") return PortName{second};
    if (parts[0] == "volumes") return VolumeName{second};
    if (parts[0] == "peers") return PeersWord{second};
    if (parts[0] != "instance") return unknown();
    if (const auto field = instance_field(second)) return InstanceWord{*field};
    return error("an instance has index, number, name and host");
  }
  if (second != "endpoints" || parts.size() > 4) return unknown();
  EndpointName endpoint{std::string(parts[0]), std::string(parts[2]), Pick::all};
  if (parts.size() == 4) {
    const auto pick = pick_word(parts[3]);
    if (!pick) return error("an endpoint is picked by first, host, port or url");
    endpoint.pick = *pick;
  }
  return endpoint;
}

Segments cut(std::string_view text) {
  Segments out;
  Segment segment;
  for (std::size_t i = 0; i < text.size();) {
    const auto dollar = text.find('$', i);
    segment.literal.append(text.substr(i, dollar - i));
    if (dollar == std::string_view::npos) break;
    const auto next = dollar + 1 < text.size() ? text[dollar + 1] : '\0';
    if (next != '{') {
      segment.literal += '$';
      i = dollar + (next == '$' ? 2 : 1);
      continue;
    }
    int depth = 1;
    auto end = dollar + 2;
    for (; end < text.size() && depth > 0; ++end) depth += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
    if (depth > 0) {
      out.unclosed = dollar;
      break;
    }
    segment.expression = text.substr(dollar + 2, end - dollar - 3);
    segment.offset = dollar;
    segment.length = end - dollar;
    out.all.push_back(std::move(segment));
    segment = {};
    i = end;
  }
  out.all.push_back(std::move(segment));
  return out;
}

}  // namespace banyan::specs
