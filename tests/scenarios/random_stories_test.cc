// Random stories: whatever happens in whatever order, the master's accounts stay exact (check_invariants after each
// step is in MasterScript) and the same seed tells the same story.
#include <gtest/gtest.h>

#include "runtime/base/rng.h"
#include "tests/scenarios/master_script.h"

namespace banyan::scenario {
namespace {

class Teller {
 public:
  explicit Teller(std::uint64_t seed) : rng_(seed) {}

  /// One line that makes sense often enough.
  std::string line() {
    const std::string web = pick({"web", "batch", "kafka"});
    const std::string a = pick({"a1", "a2"});
    const std::string t = "t" + std::to_string(rng_.below(6));
    const std::string e = pick({"e1", "e2"});
    const std::string o = "O" + std::to_string(newest_offer_ > 4 ? newest_offer_ - rng_.below(5) : rng_.below(5));
    const std::string u = "u" + std::to_string(rng_.below(4));
    switch (rng_.below(22)) {
      case 0: return "agent " + a + " cpus:4;mem:4096;disk:1000" + agent_list(web, t, e);
      case 1:
        return "subscribe " + web + (rng_.chance(1, 2) ? " aware" : "") + (rng_.chance(1, 8) ? " timeout=0s" : "");
      case 2: return "cut " + web;
      case 3: return "close " + a;
      case 4: return "advance " + pick({"1s", "5s", "11s", "31s", "70s"});
      case 5: return "decline " + web + " " + o + " " + pick({"0s", "3s", "60s"});
      case 6: return "revive " + web;
      case 7: return "suppress " + web;
      case 8: return "kill " + web + " " + t;
      case 9: return "ack " + web + " " + a + " " + t + " " + u;
      case 10: return rng_.chance(1, 6) ? "teardown " + web : "reconcile " + web + " " + t;
      case 11: return "exited " + a + " " + web + "/" + e + " 9";
      case 12: return "applied " + a + (rng_.chance(1, 5) ? " error=full" : "");
      case 13: return "operator " + pick({"reserve ", "unreserve ", "create ", "destroy "}) + a + " " + part(web);
      case 14: return pick({"silent ", "talking ", "talking "}) + a;
      case 15: return rng_.chance(1, 20) ? "restart" : "request " + web;
      case 16:
      case 17:
        return "update " + a + " " + web + "/" + t + " " + pick({"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"}) +
               " " + u + (rng_.chance(1, 4) ? " latest=TASK_FAILED" : "");
      default:
        return "accept " + web + " " + o + " refuse=" + pick({"0s", "1s"}) + operation(web) + operation(web) +
               " / launch " + t + " " + pick({"cpus:1", "cpus:0.5;mem:100", "cpus:0.1&" + part(web)}) +
               (rng_.chance(1, 3) ? " executor=" + e + ":cpus:0.1" : "");
    }
  }
  void heard(const std::vector<std::string>& said) {
    for (const auto& text : said)
      if (const auto at = text.rfind("[O"); at != std::string::npos) newest_offer_ = std::stoull(text.substr(at + 2));
  }

 private:
  std::string pick(std::vector<std::string> from) { return from[rng_.below(from.size())]; }
  std::string part(const std::string& role) {
    return pick({role + "@disk:100", role + "@cpus:0.5", role + "@vol(v1,data,100)", role + "@vol(v2,data,50)"});
  }
  std::string operation(const std::string& role) {
    return rng_.chance(1, 2) ? "" : " / " + pick({"reserve ", "unreserve ", "create ", "destroy "}) + part(role);
  }
  std::string agent_list(const std::string& web, const std::string& t, const std::string& e) {
    std::string text = rng_.chance(1, 2) ? " framework=" + web : "";
    if (rng_.chance(1, 2)) text += " task=" + web + "/" + t + pick({":TASK_RUNNING:", ":TASK_FAILED:"}) + "cpus:1";
    if (rng_.chance(1, 3)) text += " executor=" + web + "/" + e + ":cpus:0.1";
    if (rng_.chance(1, 3)) text += " keep=" + part(web);
    return text;
  }
  Rng rng_;
  std::uint64_t newest_offer_ = 0;
};

std::string tell(std::uint64_t seed) {
  MasterScript script;
  Teller teller(seed);
  std::string all;
  for (int i = 0; i < 400; ++i) {
    const std::string line = teller.line();
    all += line + "\n";
    try {
      const auto said = script.run(line);
      teller.heard(said);
      for (const auto& text : said) all += "    " + text + "\n";
    } catch (const std::out_of_range&) {  // it speaks of somebody who has never been there
    }
  }
  return all;
}

TEST(MasterUnderRandomStories, KeepsItsAccountsAndTellsTheSameStoryTwice) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    ASSERT_EQ(tell(seed), tell(seed));
  }
}

}  // namespace
}  // namespace banyan::scenario
