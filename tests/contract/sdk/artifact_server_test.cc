#include "runtime/sdk/artifact_server.h"

#include <gmock/gmock.h>

#include <fstream>

#include "runtime/adapters/http/client.h"
#include "runtime/adapters/posix/digest.h"
#include "tests/contract/sdk/fake_agent.h"

namespace banyan::sdk {
namespace {

struct AnArtifactServer : testing::Test {
  AnArtifactServer() : patience(loop) {
    server = std::move(ArtifactServer::listen(loop, "127.0.0.1", 0).value());
    client = http::Client::create(loop, {"127.0.0.1:" + std::to_string(server->port())});
  }
  http::Response get(const std::string& url) {
    http::Request request;
    request.method = "GET";
    request.path = url.substr(url.find("/artifacts"));
    std::optional<http::Response> answer;
    client->call(request, std::chrono::seconds(10), [&](Result<http::Response> response) {
      answer = response ? *response : http::Response{0, {}, {}};
      patience.something_happened();
    });
    EXPECT_TRUE(patience.until([&] { return answer.has_value(); }));
    return answer.value_or(http::Response{});
  }

  Loop loop;
  Patience patience;
  std::unique_ptr<ArtifactServer> server;
  std::unique_ptr<http::Client> client;
};

TEST_F(AnArtifactServer, ServesContentUnderItsDigest) {
  const auto served = server->add("hello.txt", "hello\n");
  EXPECT_EQ(served.sha256, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
  EXPECT_THAT(served.url, testing::EndsWith("/artifacts/" + served.sha256 + "/hello.txt"));
  EXPECT_EQ(get(served.url).body, "hello\n");
}

TEST_F(AnArtifactServer, ServesFilesOfAnySize) {
  const Folder folder;
  const std::string content(3'000'000, 'x');
  std::ofstream(folder.path / "big") << content;
  const auto served = server->add_file("big", folder.path / "big");
  ASSERT_TRUE(served);
  EXPECT_EQ(get(served->url).body.size(), content.size());
}

TEST_F(AnArtifactServer, EncodesNamesWithBlanksAndAccents) {
  const auto served = server->add("größe a?b.conf", "hello\n");
  EXPECT_THAT(served.url, testing::EndsWith(served.sha256 + "/gr%C3%B6%C3%9Fe%20a%3Fb.conf"));
  EXPECT_EQ(get(served.url).body, "hello\n");
}

TEST_F(AnArtifactServer, ServesAFolderOfFilesNamedByTheirDigest) {
  const Folder folder;
  server->add_folder(folder.path);
  const std::string sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
  EXPECT_EQ(get(server->base() + sha256).status, 410u);
  std::ofstream(folder.path / sha256) << "hello\n";
  EXPECT_EQ(get(server->base() + sha256).body, "hello\n");
  EXPECT_EQ(posix::sha256_of_file(folder.path / sha256), sha256);
  std::ofstream(folder.path / "secret") << "x";
  EXPECT_EQ(get(server->base() + "secret").status, 404u);
}

TEST_F(AnArtifactServer, ServesNothingElse) {
  EXPECT_EQ(get("/artifacts/../etc/passwd").status, 404u);
  EXPECT_EQ(get("/artifacts/0000/x").status, 404u);
  EXPECT_FALSE(server->add_file("x", "/nowhere"));
}

}  // namespace
}  // namespace banyan::sdk
