// Variables of a stack: declared with a type, given by default, profile or --var. Internal to specs/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "specs/report.h"
#include "specs/tree.h"

namespace banyan::specs {

enum class VarType { string, integer, boolean, size, duration };

struct Variable {
  VarType type = VarType::string;
  bool typed = false;                    ///< `type` was written; else it follows the default
  std::optional<std::string> value;      ///< as written
  std::optional<std::int64_t> min, max;  ///< of integers, sizes (bytes) and durations (nanoseconds)
  std::string description;
  Where where;
};

struct Variables {
  std::map<std::string, Variable> all;
  bool readable = true;  ///< false: the section itself is broken, so unknown names are not reported

  [[nodiscard]] std::vector<std::string> names() const;
};

struct VarSources {
  const Value* declared = nullptr;                            ///< `vars:`
  const Value* profile = nullptr;                             ///< `profiles.NAME.vars:`
  const std::map<std::string, std::string>* given = nullptr;  ///< --var
};

/// Every variable with its value, or a report why not: unknown, unset, of the wrong type, out of range.
[[nodiscard]] Variables read_vars(const VarSources& sources, const SourceText& source, Report& report);

}  // namespace banyan::specs
