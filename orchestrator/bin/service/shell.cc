#include "orchestrator/bin/service/shell.h"

#include <cstdio>

namespace banyan::service {

namespace {

/// How long the last words (TEARDOWN, the report) get when the master does not answer them by closing the stream.
constexpr Duration farewell_max = std::chrono::seconds(2);

void log(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

}  // namespace

Shell::Shell(Loop& loop, Store& store, std::map<std::string, std::string> stored, std::string socket)
    : loop_(loop),
      store_(store),
      alarm_(loop, [this] { driver_.deliver(Tick{}); }),
      driver_(Core(std::move(stored)), *this),
      prober_(make_prober(loop)) {
  child_ = sdk::Child::connect(loop_, socket, [this](const Handover& handover) { taken(handover); });
}

void Shell::taken(const Handover& handover) {
  log("handover " + std::to_string(handover.version()));
  driver_.deliver(HandoverGiven{handover});
  if (!client_) subscribe(handover);
}

void Shell::subscribe(const Handover& handover) {
  sdk::SchedulerClient::Callbacks callbacks;
  callbacks.event = [this](const mesos::v1::scheduler::Event& event) { driver_.deliver(SchedulerEvent{event}); };
  callbacks.disconnected = [this](const std::string& reason, bool final) {
    log("disconnected from the master: " + reason);
    if (final && ending_) return loop_.stop();
    driver_.deliver(Disconnected{reason, final});
  };
  callbacks.refused = [this](const std::string& call, const std::string& reason) {
    log("the master refused " + call + ": " + reason);
    driver_.deliver(CallRefused{call});
  };
  client_ = sdk::SchedulerClient::create(
      loop_, {{handover.masters().begin(), handover.masters().end()}, framework_info(handover)}, std::move(callbacks));
}

void Shell::perform(Core::Effect effect) {
  std::visit([this](auto& e) { on(e); }, effect);
}

void Shell::fatal(const Error& error) {
  log("cannot go on: " + error.message);
  end(1);
}

void Shell::on(Send& effect) {
  if (client_) client_->send(std::move(effect.call));
}

void Shell::on(Launch& effect) {
  serve(effect);
  if (client_) client_->send(std::move(effect.call));
}

void Shell::serve(Launch& launch) {
  if (launch.files.empty()) return;
  if (!artifacts_) {
    auto server = sdk::ArtifactServer::listen(loop_, "127.0.0.1", 0);
    if (!server) return fatal(server.error());
    artifacts_ = std::move(*server);
  }
  for (auto& operation : *launch.call.mutable_accept()->mutable_operations())
    for (auto& task : *operation.mutable_launch()->mutable_task_infos())
      for (const auto& files : launch.files) {
        if (files.task != task.task_id().value()) continue;
        for (const auto& file : files.files) {
          const auto served = artifacts_->add(file.target.substr(file.target.rfind('/') + 1), file.content);
          add_file(task, file, served.url, served.sha256);
        }
      }
}

void Shell::on(Report& effect) { child_->report(effect.status); }

void Shell::on(SetMasters& effect) {
  if (client_) client_->set_masters(std::move(effect.masters));
}

void Shell::on(StartProbe& effect) {
  prober_->start(effect, [this](ProbeResult result) { driver_.deliver(std::move(result)); });
}

void Shell::on(Note& effect) { log(effect.text); }

void Shell::on(Exit& effect) {
  log("ending: " + effect.reason);
  ending_ = true;
  exit_code_ = effect.code;
  if (client_ && client_->subscribed()) loop_.after(farewell_max, [this] { loop_.stop(); });
  else end(effect.code);
}

void Shell::end(int code) {
  exit_code_ = code;
  loop_.stop();
}

}  // namespace banyan::service
