#include "runtime/sdk/artifact_server.h"

#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <variant>

#include "runtime/adapters/http/server.h"
#include "runtime/adapters/posix/digest.h"

namespace banyan::sdk {
namespace {

constexpr std::string_view prefix = "/artifacts/";

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A path's part as a URL holds it: everything but RFC 3986's unreserved characters as %XX.
std::string percent_encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) out += c;
    else out += {'%', digits[byte >> 4], digits[byte & 0xf]};
  }
  return out;
}

struct InMemory {
  std::string content;
};
struct OnDisk {
  std::string path;
};
using Source = std::variant<InMemory, OnDisk>;

http::Response plain(unsigned status, std::string body) {
  return {status, {{"content-type", "text/plain; charset=utf-8"}}, std::move(body)};
}

http::Response serve(const Source& source) {
  http::Response response;
  response.headers["content-type"] = "application/octet-stream";
  if (const auto* memory = std::get_if<InMemory>(&source)) {
    response.body = memory->content;
    return response;
  }
  std::ifstream file(std::get<OnDisk>(source).path, std::ios::binary);
  if (!file) return plain(410, "the file is gone\n");
  response.body.assign(std::istreambuf_iterator<char>(file), {});
  return response;
}

class HttpArtifactServer final : public ArtifactServer {
 public:
  explicit HttpArtifactServer(std::string host) : host_(std::move(host)) {}

  Result<void> listen(Loop& loop, std::uint16_t port) {
    auto server =
        http::Server::listen(loop, {host_ + ":" + std::to_string(port)},
                             [this](const http::Request& request, std::shared_ptr<http::Responder> responder) {
                               responder->reply(answer(request));
                             });
    if (!server) return tl::unexpected(server.error());
    server_ = std::move(*server);
    return {};
  }

  ServedArtifact add(const std::string& name, std::string content) override {
    const auto sha256 = posix::sha256_of(content);
    return keep(name, sha256, InMemory{std::move(content)});
  }
  Result<ServedArtifact> add_file(const std::string& name, const std::string& path) override {
    auto sha256 = posix::sha256_of_file(path);
    if (!sha256) return tl::unexpected(sha256.error());
    return keep(name, *sha256, OnDisk{path});
  }
  void add_folder(std::string path) override { folder_ = std::move(path); }
  [[nodiscard]] std::string base() const override {
    return "http://" + host_ + ":" + std::to_string(port()) + std::string(prefix);
  }
  [[nodiscard]] std::uint16_t port() const override { return server_->port(); }

 private:
  ServedArtifact keep(const std::string& name, const std::string& sha256, Source source) {
    sources_[sha256] = std::move(source);
    return {base() + sha256 + "/" + percent_encoded(name), sha256};
  }

  /// The digest alone decides what is served: the name is for the fetcher, which calls the file so.
  [[nodiscard]] http::Response answer(const http::Request& request) const {
    if (request.method != "GET" && request.method != "HEAD") return plain(405, "GET only\n");
    if (!request.path.starts_with(prefix)) return plain(404, "here are: /artifacts/SHA256/NAME\n");
    const auto rest = request.path.substr(prefix.size());
    const auto sha256 = rest.substr(0, rest.find('/'));
    if (const auto found = sources_.find(sha256); found != sources_.end()) return serve(found->second);
    if (!folder_.empty() && is_sha256(sha256)) return serve(OnDisk{folder_ + "/" + sha256});
    return plain(404, "no artifact has this sha256\n");
  }

  std::string host_;
  std::string folder_;                     ///< files named by their sha256; empty: none
  std::map<std::string, Source> sources_;  ///< by sha256: equal content is kept once
  std::unique_ptr<http::Server> server_;
};

}  // namespace

Result<std::unique_ptr<ArtifactServer>> ArtifactServer::listen(Loop& loop, const std::string& host,
                                                               std::uint16_t port) {
  auto server = std::make_unique<HttpArtifactServer>(host);
  if (auto listening = server->listen(loop, port); !listening) return tl::unexpected(listening.error());
  return server;
}

}  // namespace banyan::sdk
