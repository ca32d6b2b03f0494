#include "specs/vars.h"

#include "specs/expression.h"
#include "specs/reader.h"

namespace banyan::specs {

namespace {

constexpr std::array<std::pair<std::string_view, VarType>, 5> types = {{{"string", VarType::string},
                                                                        {"int", VarType::integer},
                                                                        {"bool", VarType::boolean},
                                                                        {"size", VarType::size},
                                                                        {"duration", VarType::duration}}};

std::string_view name_of(VarType type) {
  return std::ranges::find(types, type, &decltype(types)::value_type::second)->first;
}

/// The value as a number, for min and max; 0 where there is no order.
Result<std::int64_t> measure(VarType type, const std::string& text) {
  switch (type) {
    case VarType::integer: return parse_integer(text);
    case VarType::size: return parse_size(text);
    case VarType::duration: return parse_duration(text).map([](Duration d) { return std::int64_t{d.count()}; });
    case VarType::boolean:
      if (text != "true" && text != "false") return error("write true or false");
      return 0;
    case VarType::string: return 0;
  }
  return 0;
}

VarType guess(const Value& value) {
  if (!value.plain) return VarType::string;
  for (const auto type : {VarType::integer, VarType::boolean, VarType::size, VarType::duration})
    if (measure(type, value.text)) return type;
  return VarType::string;
}

bool ordered(VarType type) { return type != VarType::string && type != VarType::boolean; }

std::string shown(VarType type, std::int64_t number) {
  if (type == VarType::duration) return to_text(Duration(number));
  return type == VarType::size ? size_text(number) : std::to_string(number);
}

struct Declaration {
  Variable variable;
  const Value* fallback = nullptr;
  const Value* min = nullptr;
  const Value* max = nullptr;
};

constexpr std::array<Field<Declaration>, 6> declaration_fields = {{
    {"type",
     [](Reader& r, const Value& v, Declaration& d) {
       r.choice(v, "type", types, d.variable.type);
       d.variable.typed = true;
     }},
    {"default", [](Reader&, const Value& v, Declaration& d) { d.fallback = &v; }},
    {"min", [](Reader&, const Value& v, Declaration& d) { d.min = &v; }},
    {"max", [](Reader&, const Value& v, Declaration& d) { d.max = &v; }},
    {"description",
     [](Reader& r, const Value& v, Declaration& d) {
       if (auto text = r.templated(v, "description")) d.variable.description = text->text;
     }},
    {"sensitive", nullptr},
}};

void read_bound(Reader& reader, const Value* value, const Variable& variable, std::string_view what,
                std::optional<std::int64_t>& out) {
  if (value == nullptr) return;
  if (!value->is_scalar()) return reader.wrong_type(*value, what, "a value of the variable's type");
  if (!ordered(variable.type)) {
    std::string message(what);
    message.append(" cannot bound a variable of type ").append(name_of(variable.type));
    reader.report().add("E206", value->where(), std::move(message), "min and max are for int, size and duration");
    return;
  }
  const auto number = measure(variable.type, value->text);
  if (number) out = *number;
  else
    reader.report().add(
        "E303", value->where(),
        std::string(what) + " is no " + std::string(name_of(variable.type)) + ": " + quoted(value->text),
        number.error().message);
}

/// Takes `text` as the variable's value; `where` and `source` name the place in messages.
bool set(Variable& variable, const std::string& name, const std::string& text, const Where& where,
         const std::string& from, Report& report) {
  const auto number = measure(variable.type, text);
  const auto subject = "variable " + quoted(name) + (from.empty() ? "" : " (" + from + ")");
  if (!number) {
    report.add("E303", where, subject + " is no " + std::string(name_of(variable.type)) + ": " + quoted(text),
               number.error().message);
    return false;
  }
  const bool low = variable.min && *number < *variable.min;
  const bool high = variable.max && *number > *variable.max;
  if (low || high) {
    report.add("E303", where, subject + " is too " + (low ? "small: " : "large: ") + quoted(text),
               low ? "min is " + shown(variable.type, *variable.min) : "max is " + shown(variable.type, *variable.max));
    return false;
  }
  if (text.find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos && !from.empty()) {
    report.add("E303", where, subject + " holds a line break or a NUL byte");
    return false;
  }
  variable.value = text;
  return true;
}

/// `${vars.x}` in a variable's value would reach the program as it is written.
bool report_variable_inside(const Value& value, Reader& reader) {
  const auto segments = cut(value.text);
  for (const auto& segment : segments.all) {
    if (!segment.expression.starts_with("vars.")) continue;
    const auto dollars = std::ranges::count(value.text.substr(0, segment.offset), '$');
    const auto where = locate_dollar(reader.source(), value.at, static_cast<std::size_t>(dollars), segment.length);
    reader.report().add("E309", where, "a variable cannot be made of others",
                        "what a variable holds is never read as a template; put the two together where they are used");
    return true;
  }
  return false;
}

bool set_from(Variable& variable, const std::string& name, const Value& value, const std::string& from,
              Reader& reader) {
  if (!value.is_scalar()) {
    reader.wrong_type(value, "variable " + quoted(name), "a single value");
    return false;
  }
  if (report_variable_inside(value, reader)) return false;
  return set(variable, name, value.text, value.where(), from, reader.report());
}

}  // namespace

std::vector<std::string> Variables::names() const {
  std::vector<std::string> out;
  for (const auto& [name, variable] : all) out.push_back(name);
  return out;
}

Variables read_vars(const VarSources& sources, const SourceText& source, Report& report) {
  Variables out;
  const Variables none;
  Reader reader(source, none, report);
  std::map<std::string, const Value*> fallbacks;
  if (sources.declared != nullptr && !reader.is_map(*sources.declared, "vars")) {
    out.readable = false;
    return out;
  }
  std::map<std::string, bool> broken;
  for (std::size_t i = 0; sources.declared != nullptr && i < sources.declared->keys.size(); ++i) {
    const Value& key = *sources.declared->keys[i];
    const Value& value = *sources.declared->items[i];
    if (!reader.name(key, "a variable", is_word, word_rule)) {
      out.readable = false;
      continue;
    }
    const auto errors = report.size();
    Declaration d;
    d.variable.where = key.where();
    if (value.is_scalar()) d.fallback = &value;
    else if (!value.is_null())
      reader.fields(value, "variable " + quoted(key.text), Fields<Declaration>(declaration_fields), d);
    if (!d.variable.typed && d.fallback != nullptr && d.fallback->is_scalar()) d.variable.type = guess(*d.fallback);
    read_bound(reader, d.min, d.variable, "min", d.variable.min);
    read_bound(reader, d.max, d.variable, "max", d.variable.max);
    if (d.fallback != nullptr) set_from(d.variable, key.text, *d.fallback, {}, reader);
    broken[key.text] = report.size() != errors;
    out.all[key.text] = std::move(d.variable);
  }
  const auto known = out.names();
  if (sources.profile != nullptr && reader.is_map(*sources.profile, "vars of the profile")) {
    for (std::size_t i = 0; i < sources.profile->keys.size(); ++i) {
      const Value& key = *sources.profile->keys[i];
      const auto found = out.all.find(key.text);
      if (found == out.all.end()) {
        report.add("E301", key.where(), "unknown variable " + quoted(key.text) + " in a profile",
                   report.did_you_mean(key.text, known));
      } else if (!set_from(found->second, key.text, *sources.profile->items[i], {}, reader)) {
        broken[key.text] = true;
      }
    }
  }
  const Where section = sources.declared != nullptr ? sources.declared->where() : Where{{1, 1}, 1, {}};
  if (sources.given != nullptr) {
    for (const auto& [name, text] : *sources.given) {
      const auto found = out.all.find(name);
      if (found == out.all.end()) {
        auto hint = report.did_you_mean(name, known);
        if (hint.empty()) hint = known.empty() ? "the stack declares no variables" : "declared are " + one_of(known);
        report.add("E305", section, "--var " + printable(name) + ": the stack has no such variable", std::move(hint));
      } else if (!set(found->second, name, text, found->second.where, "from --var", report)) {
        broken[name] = true;
      }
    }
  }
  for (const auto& [name, variable] : out.all)
    if (!variable.value && !broken[name])
      report.add("E302", variable.where, "variable " + quoted(name) + " has no value",
                 "give it a default, or --var " + name + "=…");
  return out;
}

}  // namespace banyan::specs
