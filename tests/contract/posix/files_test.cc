#include <archive.h>
#include <archive_entry.h>

#include "runtime/adapters/posix/archive.h"
#include "runtime/adapters/posix/browse.h"
#include "runtime/adapters/posix/digest.h"
#include "runtime/adapters/posix/fetcher.h"
#include "tests/contract/posix/world.h"

namespace banyan::posix {
namespace {

struct Entry {
  std::string path;
  std::string content;
  std::string link;
  unsigned type = AE_IFREG;
  std::string hard = {};
};

void write_archive(const std::string& path, const std::vector<Entry>& entries) {
  archive* out = archive_write_new();
  archive_write_set_format_pax_restricted(out);
  archive_write_add_filter_gzip(out);
  archive_write_open_filename(out, path.c_str());
  for (const auto& e : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, e.path.c_str());
    archive_entry_set_filetype(entry, e.type);
    archive_entry_set_perm(entry, 06755);
    archive_entry_set_size(entry, static_cast<la_int64_t>(e.content.size()));
    if (!e.link.empty()) archive_entry_set_symlink(entry, e.link.c_str());
    if (!e.hard.empty()) archive_entry_set_hardlink(entry, e.hard.c_str());
    archive_write_header(out, entry);
    archive_write_data(out, e.content.data(), e.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

/// What unpacking says; the folder is Folder/in, and Folder/out is forbidden ground.
std::string unpacked(const Folder& folder, const std::vector<Entry>& entries) {
  write_archive(folder / "a.tgz", entries);
  remove_tree(folder / "in");
  (void)make_folders(folder / "in", 0755);
  const auto done = unpack(folder / "a.tgz", folder / "in");
  return done ? "ok" : done.error().message.substr(done.error().message.rfind(": ") + 2);
}

TEST(AnArchive, UnpacksFilesFoldersAndLinksThatStayInside) {
  const Folder folder;
  EXPECT_EQ(unpacked(folder, {{"./d", "", "", AE_IFDIR},
                              {"./d/file", "hello", ""},
                              {"link", "", "d/file", AE_IFLNK},
                              {"hard", "", "", AE_IFREG, "d/file"}}),
            "ok");
  EXPECT_EQ(content_of(folder / "in/link"), "hello");
  EXPECT_EQ(content_of(folder / "in/hard"), "hello");
  struct stat info{};
  ::stat((folder / "in/d/file").c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777, 0755u);  // no setuid
}

TEST(AnArchive, ThatEscapesIsRefused) {
  const Folder folder;
  folder.write("out", "untouched");
  EXPECT_EQ(unpacked(folder, {{"../out", "x", ""}}), "entry '../out' leads out of the archive");
  EXPECT_EQ(unpacked(folder, {{"d/../../out", "x", ""}}), "entry 'd/../../out' leads out of the archive");
  EXPECT_EQ(unpacked(folder, {{folder / "out", "x", ""}}), "entry '" + folder / "out" + "' leads out of the archive");
  EXPECT_EQ(unpacked(folder, {{"link", "", "/etc/passwd", AE_IFLNK}}), "link 'link' leads out of the archive");
  EXPECT_EQ(unpacked(folder, {{"d/link", "", "../../out", AE_IFLNK}}), "link 'd/link' leads out of the archive");
  EXPECT_EQ(unpacked(folder, {{"hard", "", "", AE_IFREG, "../out"}}), "hard link 'hard' leads out of the archive");
  EXPECT_EQ(unpacked(folder, {{"pipe", "", "", AE_IFIFO}}), "entry 'pipe' is neither a file, a folder nor a link");
  EXPECT_EQ(content_of(folder / "out"), "untouched");
}

TEST(AnArchive, CannotWriteThroughItsOwnLinks) {
  const Folder folder;
  folder.write("out", "untouched");
  // a -> . and a/b -> .. each look harmless; together they lead out.
  EXPECT_NE(unpacked(folder, {{"a", "", ".", AE_IFLNK}, {"a/b", "", "..", AE_IFLNK}, {"b/out", "x", ""}}), "ok");
  EXPECT_EQ(content_of(folder / "out"), "untouched");
}

TEST(AnArchive, LargerThanAllowedIsRefused) {
  const Folder folder;
  write_archive(folder / "a.tgz", {{"zeros", std::string(100'000, '\0'), ""}});
  (void)make_folders(folder / "in", 0755);
  EXPECT_FALSE(unpack(folder / "a.tgz", folder / "in", {.bytes_max = 99'999}).has_value());
  EXPECT_FALSE(unpack(folder / "a.tgz", folder / "in", {.entries_max = 0}).has_value());
}

class AFetcher : public testing::Test {
 protected:
  std::string fetch(Fetch item) {
    (void)make_folders(folder / "sandbox", 0755);
    const auto done = fetcher.fetch({std::move(item)}, folder / "sandbox", never);
    return done ? "ok" : done.error().message;
  }
  Folder folder;
  Fetcher fetcher{{.cache_dir = folder / "cache", .sandboxes_dir = folder / "slaves"}};
  std::atomic<bool> never{false};
};

TEST_F(AFetcher, CopiesAFileUnderTheNameItIsGiven) {
  folder.write("source", "hello");
  EXPECT_EQ(fetch({.uri = folder / "source", .output_file = "conf/server.properties"}), "ok");
  EXPECT_EQ(content_of(folder / "sandbox/conf/server.properties"), "hello");
}

TEST_F(AFetcher, RefusesContentThatIsNotWhatWasMeant) {
  folder.write("source", "hello");
  const std::string digest = sha256_of("hello");
  EXPECT_EQ(fetch({.uri = folder / "source", .output_file = "good", .sha256 = digest}), "ok");
  EXPECT_EQ(fetch({.uri = folder / "source", .output_file = "bad", .sha256 = sha256_of("other")}),
            folder / "source" + " has sha256 " + digest + ", expected " + sha256_of("other"));
  EXPECT_FALSE(std::filesystem::exists(folder / "sandbox/bad"));
}

TEST_F(AFetcher, RefusesNamesAndSchemesThatLeadElsewhere) {
  EXPECT_EQ(fetch({.uri = "/x", .output_file = "../out"}), "cannot fetch /x: '../out' leads out of the sandbox");
  EXPECT_EQ(fetch({.uri = "hdfs://x/y", .output_file = "y"}),
            "cannot fetch hdfs://x/y: only absolute paths, file://, http:// and https:// can be fetched");
  EXPECT_EQ(fetch({.uri = folder / "missing", .output_file = "y"}),
            "cannot fetch " + folder / "missing" + ": No such file or directory");
}

TEST_F(AFetcher, UnpacksACachedArchiveOnceAndLinksIt) {
  write_archive(folder / "a.tgz", {{"app/bin", "program", ""}});
  const Fetch item{.uri = folder / "a.tgz", .sha256 = sha256_of_file(folder / "a.tgz").value(), .cache = true};
  EXPECT_EQ(fetch(item), "ok");
  EXPECT_EQ(content_of(folder / "sandbox/app/bin"), "program");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "sandbox/app"));
  std::filesystem::remove(folder / "a.tgz");
  remove_tree(folder / "sandbox");
  EXPECT_EQ(fetch(item), "ok");  // the source is not asked again
  EXPECT_EQ(content_of(folder / "sandbox/app/bin"), "program");
}

TEST_F(AFetcher, TakesALocalFileThatWasReplacedForAnother) {
  folder.write("program", "first");
  const Fetch item{.uri = "file://" + folder / "program", .cache = true};
  EXPECT_EQ(fetch(item), "ok");
  EXPECT_EQ(content_of(folder / "sandbox/program"), "first");
  folder.write("program.new", "other");
  std::filesystem::rename(folder / "program.new", folder / "program");
  remove_tree(folder / "sandbox");
  EXPECT_EQ(fetch(item), "ok");
  EXPECT_EQ(content_of(folder / "sandbox/program"), "other");
}

TEST(FileReading, StaysInsideTheSandboxItWasAskedFor) {
  const Folder folder;
  const std::string run = folder / "slaves/A/frameworks/F/executors/E/runs/one";
  const std::string other = folder / "slaves/A/frameworks/F/executors/E/runs/two";
  ASSERT_TRUE(make_folders(run, 0755));
  ASSERT_TRUE(make_folders(other, 0755));
  std::ofstream(run + "/stdout") << "hello";
  std::ofstream(other + "/secret") << "secret";
  folder.write("outside", "secret");
  std::filesystem::create_symlink("one", folder / "slaves/A/frameworks/F/executors/E/runs/latest");
  std::filesystem::create_symlink(folder / "outside", run + "/absolute");
  std::filesystem::create_symlink("../two/secret", run + "/relative");
  std::filesystem::create_symlink("stdout", run + "/fine");
  const Browser browser(folder / "slaves");
  const std::string latest = "/frameworks/F/executors/E/runs/latest";
  const auto read = [&browser](const std::string& path) {
    const auto part = browser.read(path, 0, 100);
    return part ? part->bytes : part.error().message;
  };
  EXPECT_EQ(read(latest + "/stdout"), "hello");
  EXPECT_EQ(read(latest + "/fine"), "hello");
  EXPECT_EQ(read(run + "/stdout"), "hello");
  for (const std::string& path : {latest + "/absolute", latest + "/relative", latest + "/../two/secret",
                                  latest + "/missing", folder / "outside", std::string("/etc/passwd")})
    EXPECT_EQ(read(path), "not found: " + path);
  EXPECT_EQ(browser.read(latest + "/stdout", 3, 100)->bytes, "lo");
  EXPECT_EQ(browser.read(latest + "/stdout", 9, 100)->size, 5u);
  EXPECT_EQ(browser.list(latest)->size(), 4u);
}

}  // namespace
}  // namespace banyan::posix
