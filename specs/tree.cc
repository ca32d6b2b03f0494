#include "specs/tree.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <set>
#include <streambuf>

#include "specs/yaml_mistakes.h"

namespace banyan::specs {

Value* Value::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i]->text == key) return items[i];
  return nullptr;
}

std::string describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return "nothing";
    case Value::Kind::list: return "a list";
    case Value::Kind::map: return "a mapping";
    case Value::Kind::scalar: break;
  }
  return quoted(value.text);
}

namespace {

/// Ends the parse; the error is in the report already.
struct Abandon {};

Position position(const YAML::Mark& mark) {
  return {static_cast<std::uint32_t>(std::max(mark.line, 0) + 1),
          static_cast<std::uint32_t>(std::max(mark.column, 0) + 1)};
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(const SourceText& source, Report& report, const TreeLimits& limits)
      : source_(source), report_(report), limits_(limits) {}

  Tree tree;

  /// To be called when the whole text was read: a bracket that is never closed looks like a complex key on the way.
  void report_complex_keys() {
    for (const auto* key : complex_keys_)
      report_.add("E007", key->where(), "a key must be a text, not " + describe(*key),
                  "quote it if it is meant as a text");
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ < 2) return;
    fail("E008", mark, "a second document begins here", "a stack file holds one YAML document; remove the \"---\"");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Value& value = make(mark, Value::Kind::null);
    at_its_key(value);
    remember(anchor, value, 1);
    put(mark, value);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Value& value = make(mark, Value::Kind::scalar);
    check_tag(value, tag);
    value.plain = tag == "?";
    value.text = text;
    value.width = width(value);
    if (text.find('\0') != std::string::npos)
      report_.add("E003", value.where(), "a NUL byte is not allowed, not even as an escape", "remove it");
    if (text.size() > limits_.scalar_bytes)
      report_.add("E001", {value.at, 1, {}}, "a text of " + std::to_string(text.size()) + " bytes is too long",
                  "at most " + std::to_string(limits_.scalar_bytes) + "; put it into a file and name it under `files`");
    remember(anchor, value, 1);
    put(mark, value);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    const auto open = [&](const Frame& f) { return f.value == found->second.value; };
    if (found == anchors_.end() || std::ranges::any_of(open_, open))
      fail("E006", mark, "an alias refers to a value that contains it");
    if (++aliases_ > limits_.aliases) fail("E006", mark, "more than " + std::to_string(limits_.aliases) + " aliases");
    count(mark, found->second.size);
    put(mark, *found->second.value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Value::Kind::list);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Value::Kind::map);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Frame {
    Value* value;
    YAML::anchor_t anchor;
    std::size_t count_before;
    const Value* key = nullptr;  ///< of a map: the key whose value comes next
    bool skip = false;           ///< that value belongs to a refused key
    std::map<std::string_view, Position> keys = {};
  };
  struct Anchor {
    Value* value;
    std::size_t size;  ///< values below it, aliases expanded
  };

  [[noreturn]] void fail(const char* code, const YAML::Mark& mark, std::string message, std::string hint = {}) {
    report_.add(code, {position(mark), 1, {}}, std::move(message), std::move(hint));
    throw Abandon{};
  }

  void count(const YAML::Mark& mark, std::size_t more) {
    count_ += more;
    if (count_ > limits_.values)
      fail("E001", mark, "more than " + std::to_string(limits_.values) + " values, aliases expanded");
  }

  Value& make(const YAML::Mark& mark, Value::Kind kind) {
    count(mark, 1);
    Value& value = tree.values.emplace_back();
    value.kind = kind;
    value.at = position(mark);
    return value;
  }

  void remember(YAML::anchor_t anchor, Value& value, std::size_t size) {
    if (anchor != 0) anchors_[anchor] = {&value, size};
  }

  void check_tag(Value& value, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return;
    value.faulty = true;
    report_.add("E007", value.where(), "the tag " + quoted(tag) + " is not allowed",
                "write the plain value; a stack file holds mappings, lists and texts only");
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Kind kind) {
    if (open_.size() >= limits_.depth) fail("E001", mark, "nested deeper than " + std::to_string(limits_.depth));
    const auto before = count_;
    Value& value = make(mark, kind);
    check_tag(value, tag);
    remember(anchor, value, 1);
    put(mark, value);
    open_.push_back({&value, anchor, before});
  }

  void end() {
    const Frame& frame = open_.back();
    if (frame.anchor != 0) anchors_[frame.anchor].size = count_ - frame.count_before;
    open_.pop_back();
  }

  void put(const YAML::Mark& mark, Value& value) {
    if (open_.empty()) {
      tree.root = &value;
      return;
    }
    Frame& frame = open_.back();
    if (frame.value->is_list()) {
      frame.value->items.push_back(&value);
    } else if (frame.key == nullptr && !frame.skip) {
      put_key(mark, frame, value);
    } else {
      if (!frame.skip) {
        frame.value->keys.push_back(frame.key);
        frame.value->items.push_back(&value);
      }
      frame.key = nullptr;
      frame.skip = false;
    }
  }

  void put_key(const YAML::Mark& mark, Frame& frame, const Value& key) {
    frame.skip = true;  // until it proves good
    const Where where{position(mark), key.width, {}};
    const auto errors = report_.size();
    if (key.is_map() && source_.line(key.at.line).substr(key.at.column - 1).starts_with("{") && key.at.column > 1 &&
        source_.line(key.at.line)[key.at.column - 2] == '{') {
      report_unrendered_template({key.at.line, key.at.column - 1}, report_);
    } else if (!key.is_scalar()) {
      complex_keys_.push_back(&key);
      frame.value->faulty = true;
    } else if (key.plain && key.text == "<<") {
      report_.add("E007", where, "merge keys (<<) are not supported",
                  "repeat the fields, or give the whole value by an alias");
    } else if (key.text.size() > limits_.key_bytes) {
      report_.add("E001", where, "a key of " + std::to_string(key.text.size()) + " bytes is too long");
    } else if (const auto [first, fresh] = frame.keys.emplace(key.text, where.at); !fresh) {
      report_.add("E005", where, "the key " + quoted(key.text) + " is there twice", "keep one of them")
          .related.push_back({first->second, "first written here", {}});
    } else {
      frame.skip = false;
      frame.key = &key;
    }
    if (report_.size() != errors) frame.value->faulty = true;
  }

  /// yaml-cpp places an empty value where the next token is; people look for it behind its key.
  void at_its_key(Value& value) const {
    if (open_.empty() || open_.back().key == nullptr) return;
    const auto& key = *open_.back().key;
    const auto line = source_.line(value.at.line);
    const bool written = value.at.line == key.at.line && value.at.column <= line.size() &&
                         std::string_view("~nN").find(line[value.at.column - 1]) != std::string_view::npos;
    if (written) return;
    value.at = key.at;
    value.width = key.width;
  }

  /// Bytes of a scalar as it stands on its first line.
  [[nodiscard]] std::uint32_t width(const Value& value) const {
    const auto line = source_.line(value.at.line);
    if (value.at.column > line.size()) return 1;
    const auto rest = line.substr(value.at.column - 1);
    std::size_t bytes = 1;
    if (value.plain) {
      bytes = value.text.size();
    } else if (rest[0] == '"' || rest[0] == '\'') {
      const auto closing = rest.find(rest[0], 1);
      bytes = closing == std::string_view::npos ? rest.size() : closing + 1;
    }
    return static_cast<std::uint32_t>(std::clamp<std::size_t>(bytes, 1, rest.size()));
  }

  const SourceText& source_;
  Report& report_;
  TreeLimits limits_;
  int documents_ = 0;
  std::size_t count_ = 0;
  std::size_t aliases_ = 0;
  std::vector<Frame> open_;
  std::vector<const Value*> complex_keys_;
  std::map<YAML::anchor_t, Anchor> anchors_;
};

/// A string_view as a stream, without a copy. yaml-cpp only reads.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view view) {
    auto* begin = const_cast<char*>(view.data());
    setg(begin, begin, begin + view.size());
  }
};

}  // namespace

Tree parse_yaml(const SourceText& source, Report& report, const TreeLimits& limits) {
  Builder builder(source, report, limits);
  ViewBuffer buffer(source.text());
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) continue;
    builder.report_complex_keys();
    return std::move(builder.tree);
  } catch (const Abandon&) {
  } catch (const YAML::DeepRecursion& e) {
    report.add("E001", {position(e.mark), 1, {}}, "nested deeper than " + std::to_string(limits.depth));
  } catch (const YAML::Exception& e) {
    explain_syntax_error(source, e.mark.is_null() ? Position{1, 1} : position(e.mark), e.msg, report);
  }
  return {};
}

}  // namespace banyan::specs
