#include "executors/command/sockets.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <initializer_list>

namespace banyan::shim {
namespace {

constexpr unsigned tcp_listen = 10;
constexpr unsigned tcp_close = 7;  // what a bound UDP socket is in

struct List {
  const Options& options;
  OpenSocket* sockets;
  int max;
  int count = 0;

  void add(bool udp, unsigned port, unsigned long inode) {
    if (inode == 0 || count == max) return;
    for (int i = 0; i < options.port_count; ++i)
      if (options.ports[i] == port) {
        sockets[count++] = {udp, options.ports[i], inode};
        return;
      }
  }
};

bool ask(int netlink, int family) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = static_cast<unsigned char>(family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = 1u << tcp_listen;
  return send(netlink, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request);
}

// False: it has ended too early.
bool take_answer(int netlink, List* list) {
  alignas(nlmsghdr) static char buffer[32768];
  for (;;) {
    const ssize_t size = recv(netlink, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    auto left = static_cast<unsigned>(size);
    for (const auto* m = reinterpret_cast<const nlmsghdr*>(buffer); NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
      if (m->nlmsg_type == NLMSG_DONE) return true;
      if (m->nlmsg_type == NLMSG_ERROR) return false;
      const auto* socket = static_cast<const inet_diag_msg*>(NLMSG_DATA(m));
      list->add(false, ntohs(socket->id.idiag_sport), socket->idiag_inode);
    }
  }
}

bool list_by_netlink(List* list) {
  const int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return false;
  const timeval patience{1, 0};
  setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  bool done = true;
  for (const int family : {AF_INET, AF_INET6}) done = done && ask(netlink, family) && take_answer(netlink, list);
  close(netlink);
  return done;
}

void read_table(const char* path, bool udp, List* list) {
  FILE* file = fopen(path, "re");
  if (file == nullptr) return;  // no IPv6
  char line[512];
  while (fgets(line, sizeof line, file) != nullptr) {
    unsigned port = 0;
    unsigned state = 0;
    unsigned long inode = 0;
    if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu", &port, &state, &inode) ==
            3 &&
        state == (udp ? tcp_close : tcp_listen))
      list->add(udp, port, inode);
  }
  fclose(file);
}

}  // namespace

int list_sockets(const Options& options, OpenSocket* sockets, int max) {
  List list{options, sockets, max};
  if (!list_by_netlink(&list)) {
    list.count = 0;
    read_table("/proc/self/net/tcp", false, &list);
    read_table("/proc/self/net/tcp6", false, &list);
  }
  read_table("/proc/self/net/udp", true, &list);
  read_table("/proc/self/net/udp6", true, &list);
  return list.count;
}

}  // namespace banyan::shim
