#include "executors/command/options.h"

#include <stdlib.h>
#include <string.h>

namespace banyan::shim {
namespace {

bool set_ports(Options* o, const char* list) {
  for (char* rest = nullptr; *list != '\0'; list = *rest == ',' ? rest + 1 : rest) {
    const long port = strtol(list, &rest, 10);
    if (rest == list || port < 1 || port > 65535 || o->port_count == ports_max) return false;
    o->ports[o->port_count++] = static_cast<unsigned short>(port);
  }
  return true;
}

bool set(Options* o, const char* word) {
  const auto value = [word](const char* key) -> const char* {
    const size_t size = strlen(key);
    return strncmp(word, key, size) == 0 && word[size] == '=' ? word + size + 1 : nullptr;
  };
  const char* v = nullptr;
  if ((v = value("runtime"))) o->runtime = v;
  else if ((v = value("sandbox"))) o->sandbox = v;
  else if ((v = value("leaf"))) o->leaf = v;
  else if ((v = value("user"))) o->switch_user = true, o->user = static_cast<uid_t>(strtoul(v, nullptr, 10));
  else if ((v = value("group"))) o->group = static_cast<gid_t>(strtoul(v, nullptr, 10));
  else if ((v = value("report"))) o->report = atoi(v);
  else if ((v = value("log-bytes"))) o->log_bytes = atol(v);
  else if ((v = value("log-files"))) o->log_files = atoi(v);
  else if ((v = value("timeout-ms"))) o->timeout_ms = atol(v);
  else if ((v = value("ports"))) return set_ports(o, v);
  else return false;
  return true;
}

}  // namespace

bool parse_options(int argc, char** argv, Options* options) {
  int at = 1;
  for (; at < argc && strcmp(argv[at], "--") != 0; ++at)
    if (!set(options, argv[at])) return false;
  if (at + 2 >= argc || options->sandbox == nullptr) return false;
  options->program = argv[at + 1];
  options->arguments = argv + at + 2;
  return true;
}

}  // namespace banyan::shim
