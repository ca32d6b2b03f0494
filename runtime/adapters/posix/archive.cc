#include "runtime/adapters/posix/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>

#include "runtime/adapters/posix/files.h"

namespace banyan::posix {
namespace {

constexpr const char* archives[] = {".tar",    ".tar.gz", ".tgz", ".tar.bz2", ".tbz2",
                                    ".tar.xz", ".txz",    ".zip", ".jar.zip"};

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;
using Writer = std::unique_ptr<archive, decltype(&archive_write_free)>;

std::string normal(std::string path) {
  while (path.starts_with("./")) path.erase(0, 2);
  return path;
}

/// A symbolic link may name anything below the folder it is unpacked into, nothing else.
bool link_stays_inside(const std::string& path, const std::string& target) {
  if (target.empty() || target.front() == '/') return false;
  const auto resolved = (std::filesystem::path(path).parent_path() / target).lexically_normal().string();
  return resolved == "." || stays_below(resolved);
}

Result<void> check(archive_entry* entry, const std::string& path) {
  if (!stays_below(path)) return error("entry '" + path + "' leads out of the archive");
  if (const char* hard = archive_entry_hardlink(entry); hard != nullptr) {
    if (!stays_below(normal(hard))) return error("hard link '" + path + "' leads out of the archive");
    return {};
  }
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case AE_IFDIR: return {};
    case AE_IFLNK:
      if (const char* to = archive_entry_symlink(entry); to != nullptr && link_stays_inside(path, to)) return {};
      return error("link '" + path + "' leads out of the archive");
    default: return error("entry '" + path + "' is neither a file, a folder nor a link");
  }
}

Result<std::uint64_t> copy_data(archive* in, archive* out, std::uint64_t left) {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  std::uint64_t total = 0;
  for (;;) {
    const int got = archive_read_data_block(in, &block, &size, &offset);
    if (got == ARCHIVE_EOF) return total;
    if (got < ARCHIVE_WARN) return error(archive_error_string(in));
    total += size;
    if (total > left) return error("it unpacks to more than is allowed");
    if (archive_write_data_block(out, block, size, offset) < ARCHIVE_WARN) return error(archive_error_string(out));
  }
}

Result<void> unpack_entries(archive* in, archive* out, const std::string& folder, ArchiveLimits limits) {
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  for (archive_entry* entry = nullptr;;) {
    const int got = archive_read_next_header(in, &entry);
    if (got == ARCHIVE_EOF) return {};
    if (got < ARCHIVE_WARN) return error(archive_error_string(in));
    if (++entries > limits.entries_max) return error("it has too many entries");
    const std::string path = normal(archive_entry_pathname(entry) == nullptr ? "" : archive_entry_pathname(entry));
    if (path.empty()) continue;  // "./" itself
    if (auto checked = check(entry, path); !checked) return checked;
    archive_entry_set_pathname(entry, (folder + '/' + path).c_str());
    if (const char* hard = archive_entry_hardlink(entry); hard != nullptr)
      archive_entry_set_hardlink(entry, (folder + '/' + normal(hard)).c_str());
    archive_entry_set_perm(entry, archive_entry_perm(entry) & 0777);
    if (archive_write_header(out, entry) < ARCHIVE_WARN) return error(archive_error_string(out));
    auto copied = copy_data(in, out, limits.bytes_max - bytes);
    if (!copied) return tl::unexpected(copied.error());
    bytes += *copied;
    if (archive_write_finish_entry(out) < ARCHIVE_WARN) return error(archive_error_string(out));
  }
}

}  // namespace

bool is_archive(const std::string& name) {
  for (const char* suffix : archives)
    if (name.ends_with(suffix)) return true;
  return false;
}

Result<void> unpack(const std::string& path, const std::string& folder, ArchiveLimits limits) {
  const Reader in(archive_read_new(), archive_read_free);
  archive_read_support_filter_all(in.get());
  archive_read_support_format_tar(in.get());
  archive_read_support_format_gnutar(in.get());
  archive_read_support_format_zip(in.get());
  if (archive_read_open_filename(in.get(), path.c_str(), 256 * 1024) != ARCHIVE_OK)
    return error("cannot unpack " + path + ": " + archive_error_string(in.get()));
  const Writer out(archive_write_disk_new(), archive_write_free);
  // Each name is checked by us and prefixed with our folder, which is absolute; hence no NOABSOLUTEPATHS.
  // SECURE_SYMLINKS refuses to write through any link, one inside our own prefix included; hence its real path.
  archive_write_disk_set_options(out.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM |
                                                ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS);
  auto done = unpack_entries(in.get(), out.get(), std::filesystem::canonical(folder).string(), limits);
  if (!done) return error("cannot unpack " + path + ": " + done.error().message);
  if (archive_write_close(out.get()) < ARCHIVE_WARN)
    return error("cannot unpack " + path + ": " + archive_error_string(out.get()));
  return {};
}

}  // namespace banyan::posix
