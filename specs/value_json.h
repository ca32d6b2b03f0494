// Nodes and their parts as JSON values. Internal to specs/.
#pragma once

#include <boost/json.hpp>
#include <concepts>
#include <type_traits>

#include "runtime/base/time.h"
#include "specs/node_fields.h"

namespace banyan::specs {

/// An archive of node_fields.h that writes. Absent optionals are left out.
struct WriteJson {
  bool positions = true;  ///< false: only what matters to a running server
  boost::json::object object = {};

  template <class T>
  void operator()(const char* name, const T& member) {
    if constexpr (std::is_same_v<T, Position>) {
      if (!positions) return;
    }
    auto value = write(member);
    if (!value.is_null()) object.emplace(name, std::move(value));
  }

  boost::json::value write(const std::string& v) const { return boost::json::string(v); }
  boost::json::value write(bool v) const { return v; }
  boost::json::value write(Duration v) const { return v.count(); }
  template <std::integral T>
  boost::json::value write(T v) const {
    return v;
  }
  template <class T>
    requires std::is_enum_v<T>
  boost::json::value write(T v) const {
    return static_cast<int>(v);
  }
  template <class T>
  boost::json::value write(const std::optional<T>& v) const {
    return v ? write(*v) : nullptr;
  }
  template <class T>
  boost::json::value write(const std::vector<T>& v) const {
    boost::json::array out;
    for (const auto& item : v) out.push_back(write(item));
    return out;
  }
  template <class T>
  boost::json::value write(const std::map<std::string, T>& v) const {
    boost::json::object out;
    for (const auto& [key, item] : v) out.emplace(key, write(item));
    return out;
  }
  boost::json::value write(const Probe& v) const {
    boost::json::object out;
    std::visit([&](const auto& probe) { out.emplace(probe_kinds[v.index()], write(probe)); }, v);
    return out;
  }
  template <class T>
    requires requires(WriteJson& a, T& t) { fields(a, t); }
  boost::json::value write(const T& v) const {
    WriteJson archive{positions};
    fields(archive, const_cast<T&>(v));  // one list of fields for reading and writing; this archive only reads them
    return std::move(archive.object);
  }
};

}  // namespace banyan::specs
