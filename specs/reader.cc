#include "specs/reader.h"

#include <map>

#include "specs/expression.h"

namespace banyan::specs {

namespace {

/// What people coming from other tools write.
const std::map<std::string_view, std::string_view>& synonyms() {
  static const std::map<std::string_view, std::string_view> words = {{"replicas", "instances"},
                                                                     {"count", "instances"},
                                                                     {"scale", "instances"},
                                                                     {"cmd", "command"},
                                                                     {"args", "command"},
                                                                     {"entrypoint", "command"},
                                                                     {"environment", "env"},
                                                                     {"memory", "mem"},
                                                                     {"cpu", "cpus"},
                                                                     {"needs", "depends_on"},
                                                                     {"dependencies", "depends_on"},
                                                                     {"depends", "depends_on"},
                                                                     {"after", "depends_on"},
                                                                     {"services", "frameworks"},
                                                                     {"nodes", "frameworks"},
                                                                     {"apps", "frameworks"},
                                                                     {"variables", "vars"},
                                                                     {"tasks", "servers"},
                                                                     {"config", "files"},
                                                                     {"configs", "files"},
                                                                     {"fetch", "uris"},
                                                                     {"artifacts", "uris"},
                                                                     {"readiness_probe", "readiness"},
                                                                     {"readinessProbe", "readiness"},
                                                                     {"health", "readiness"},
                                                                     {"ready", "readiness"},
                                                                     {"check", "readiness"},
                                                                     {"period", "interval"},
                                                                     {"value", "uri"},
                                                                     {"output_file", "output"},
                                                                     {"src", "source"},
                                                                     {"template", "content"},
                                                                     {"max_retries", "max"}};
  return words;
}

}  // namespace

Where locate_dollar(const SourceText& source, Position at, std::size_t n, std::size_t width) {
  auto offset = source.offset(at);
  const auto text = source.text();
  for (std::size_t seen = 0;; ++seen) {
    const auto next = text.find('$', seen == 0 ? offset : offset + 1);
    if (next == std::string_view::npos) return {at, 1, {}};  // written as an escape, such as "\x24"
    offset = next;
    if (seen == n) break;
  }
  const auto found = source.position(offset);
  const auto left = source.line(found.line).size() - (found.column - 1);
  return {found, static_cast<std::uint32_t>(std::min(width, left)), {}};
}

void Reader::wrong_type(const Value& value, std::string_view what, std::string_view wanted, std::string hint) {
  if (value.faulty) return;
  if (value.text.find("\u201C") != std::string::npos) hint = "\u201C and \u201D are not quotes in YAML; write \"";
  if (value.is_null())
    report_.add("E202", value.where(), std::string(what) + " has no value", "it takes " + std::string(wanted));
  else
    report_.add("E203", value.where(),
                std::string(what) + " must be " + std::string(wanted) + ", not " + describe(value), std::move(hint));
}

bool Reader::is_map(const Value& value, std::string_view what) {
  if (!value.is_map()) wrong_type(value, what, "a mapping");
  return value.is_map();
}

bool Reader::is_list(const Value& value, std::string_view what) {
  if (!value.is_list()) wrong_type(value, what, "a list");
  return value.is_list();
}

std::optional<std::string> Reader::text(const Value& value, std::string_view what) {
  if (!value.is_scalar()) {
    wrong_type(value, what, "a text");
    return std::nullopt;
  }
  if (value.text.find('$') == std::string::npos) return value.text;
  const auto segments = cut(value.text);
  const auto place = [&](std::size_t offset, std::size_t width) {
    const auto dollars = std::ranges::count(value.text.substr(0, offset), '$');
    return locate_dollar(source_, value.at, static_cast<std::size_t>(dollars), width);
  };
  if (segments.unclosed != std::string_view::npos) {
    report_.add("E306", place(segments.unclosed, 2), "this ${ is never closed", "write $$ for a dollar");
    return std::nullopt;
  }
  std::string out;
  bool good = true;
  for (const auto& segment : segments.all) {
    out += segment.literal;
    if (segment.length == 0) continue;
    const auto where = place(segment.offset, segment.length);
    const auto expression = parse_expression(segment.expression);
    const auto* var = expression ? std::get_if<VarName>(&*expression) : nullptr;
    const auto known = var == nullptr ? vars_.all.end() : vars_.all.find(var->name);
    if (var == nullptr) {
      report_.add("E308", where, "only variables can be used here, not ${" + printable(segment.expression) + "}",
                  "this is read before anything runs; write ${vars.NAME}, or $$ for a dollar");
    } else if (known == vars_.all.end()) {
      if (vars_.readable)
        report_.add("E301", where, "unknown variable " + quoted(var->name),
                    report_.did_you_mean(var->name, vars_.names()));
    } else if (known->second.value) {
      out += *known->second.value;
      continue;
    }
    good = false;
  }
  if (!good) return std::nullopt;
  return out;
}

std::optional<Text> Reader::templated(const Value& value, std::string_view what) {
  if (value.is_scalar()) return Text{value.text, value.at};
  wrong_type(value, what, "a text");
  return std::nullopt;
}

void Reader::boolean(const Value& value, std::string_view what, bool& out) {
  const auto word = value.is_scalar() ? text(value, what) : std::nullopt;
  if (value.is_scalar() && !word) return;
  const bool plain = word && (value.plain || value.text != *word);
  if (plain && (*word == "true" || *word == "false")) out = *word == "true";
  else wrong_type(value, what, "true or false", value.is_scalar() ? "write true or false, without quotes" : "");
}

std::optional<std::int64_t> Reader::bounded_integer(const Value& value, std::string_view what, std::int64_t min,
                                                    std::int64_t max) {
  if (!value.is_scalar()) {
    wrong_type(value, what, "an integer");
    return std::nullopt;
  }
  const auto digits = text(value, what);
  if (!digits) return std::nullopt;
  const auto number = parse_integer(*digits);
  if (!number && *digits != value.text) {
    report_.add("E203", value.where(), std::string(what) + " must be an integer, not " + quoted(*digits),
                "that is the value of " + printable(value.text));
    return std::nullopt;
  }
  if (!number || (!value.plain && *digits == value.text)) {
    wrong_type(value, what, "an integer", number ? "remove the quotes" : number.error().message);
    return std::nullopt;
  }
  if (*number >= min && *number <= max) return *number;
  report_.add(
      "E205", value.where(),
      std::string(what) + " must be " + std::to_string(min) + " to " + std::to_string(max) + ", not " + *digits);
  return std::nullopt;
}

void Reader::duration(const Value& value, std::string_view what, Duration min, Duration& out) {
  constexpr Duration most = std::chrono::hours(24 * 365);
  if (!value.is_scalar()) return wrong_type(value, what, "a duration", "such as 500ms, 30s or 1m30s");
  const auto word = text(value, what);
  if (!word) return;
  const auto parsed = parse_duration(*word);
  if (!parsed) {
    report_.add("E210", value.where(), std::string(what) + " is no duration: " + quoted(*word), parsed.error().message);
  } else if (*parsed < min || *parsed > most) {
    report_.add("E205", value.where(),
                std::string(what) + " must be " + to_text(min) + " to " + to_text(most) + ", not " + printable(*word));
  } else {
    out = *parsed;
  }
}

void Reader::size(const Value& value, std::string_view what, std::int64_t min, std::int64_t& out) {
  if (!value.is_scalar()) return wrong_type(value, what, "a size", "such as 512MiB or 2GiB");
  const auto word = text(value, what);
  if (!word) return;
  const auto parsed = parse_size(*word);
  if (!parsed)
    report_.add("E211", value.where(), std::string(what) + " is no size: " + quoted(*word), parsed.error().message);
  else if (*parsed < min)
    report_.add("E205", value.where(),
                std::string(what) + " must be at least " + size_text(min) + ", not " + printable(*word));
  else out = *parsed;
}

void Reader::command(const Value& value, std::string_view what, Command& out) {
  constexpr std::size_t arguments_max = 10'000;
  if (value.is_scalar()) {
    if (value.text.find_first_not_of(" \t\r\n") == std::string::npos)
      report_.add("E205", value.where(), std::string(what) + " is empty",
                  "a text is given to sh -c, a list is run as it is");
    else out.shell = Text{value.text, value.at};
    return;
  }
  if (!value.is_list()) return wrong_type(value, what, "a text or a list of texts");
  if (value.items.empty() || value.items.size() > arguments_max) {
    report_.add("E205", value.where(),
                std::string(what) + (value.items.empty() ? " is empty" : " has more than 10000 arguments"),
                "a list is run as it is: its first text is the program");
    return;
  }
  for (const auto* item : value.items)
    if (auto argument = templated(*item, "an argument of " + std::string(what)))
      out.argv.push_back(std::move(*argument));
  if (!out.argv.empty() && out.argv.front().text.empty())
    report_.add("E205", value.items.front()->where(), "the program of " + std::string(what) + " is empty");
}

void Reader::unknown_field(const Value& key, std::string_view what, const std::vector<std::string>& known) {
  if (key.text.starts_with("x-")) return;
  std::string hint;
  const auto synonym = synonyms().find(key.text);
  if (synonym != synonyms().end() && std::ranges::find(known, synonym->second) != known.end())
    hint = "did you mean " + quoted(synonym->second) + "?";
  if (hint.empty()) hint = report_.did_you_mean(key.text, known);
  if (hint.empty() && known.size() <= 12) hint = "known are " + one_of(known);
  report_.add("E201", key.where(), "unknown field " + quoted(key.text) + " in " + std::string(what), std::move(hint));
}

void Reader::unknown_word(const Value& value, std::string_view what, std::string_view word,
                          const std::vector<std::string>& known) {
  auto hint = report_.did_you_mean(word, known);
  if (hint.empty()) hint = "write " + one_of(known);
  report_.add("E207", value.where(), "unknown " + std::string(what) + " " + quoted(word), std::move(hint));
}

bool Reader::meant(const Value& map, std::string_view field) {
  constexpr std::size_t looked_at_max = 100;
  const std::vector<std::string> one = {std::string(field)};
  for (std::size_t i = 0; map.is_map() && i < std::min(map.keys.size(), looked_at_max); ++i) {
    const auto& key = map.keys[i]->text;
    if (key.starts_with("x-")) continue;
    const auto synonym = synonyms().find(key);
    if ((synonym != synonyms().end() && synonym->second == field) || !nearest(key, one).empty()) return true;
  }
  return map.faulty;
}

void Reader::unsupported(const Value& key, std::string_view what, std::string hint) {
  report_.add("E208", key.where(), quoted(what) + " is not supported yet", std::move(hint));
}

bool Reader::name(const Value& key, std::string_view what, bool (*good)(std::string_view), std::string_view rule) {
  const bool extension = key.text.starts_with("x-");
  if (good(key.text) && !extension) return true;
  if (extension)
    rule = "names cannot begin with \"x-\": fields that do are skipped; put shared values at the top of the file";
  report_.add("E204", key.where(), quoted(key.text) + " cannot be the name of " + std::string(what), std::string(rule));
  return false;
}

}  // namespace banyan::specs
