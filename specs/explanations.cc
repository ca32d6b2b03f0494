// What `banyan explain CODE` says. Codes are stable: a code that is no longer used is never given to something else.
#include <algorithm>

#include "specs/diagnostic.h"

namespace banyan::specs {

namespace {

constexpr Explanation explanations[] = {
    {"E000", "more errors than are shown",
     "At most 100 errors are shown, in the order of the file. Fix the first ones and look again: one mistake high up "
     "often causes several below."},
    {"E001", "too large",
     "A stack file may have 16 MiB, a depth of 100, keys of 256 bytes, texts of 1 MiB and three million values with "
     "its aliases expanded; one value in `env` 128 KiB, all of them 1 MiB. Put long texts into files of their own and "
     "name them under `files`."},
    {"E002", "not UTF-8",
     "Stack files and the files they name are UTF-8. The message names the first byte that is not. Convert the "
     "file:\n\n"
     "    iconv -f ISO-8859-1 -t UTF-8 old.yaml > stack.yaml"},
    {"E003", "a forbidden character",
     "Control characters, invisible ones (such as a zero-width space) and those that reorder text make a file mean "
     "something else than it seems to say. Delete the character; copying from a web page often brings it in."},
    {"E004", "YAML syntax",
     "The file is not YAML. Usual causes: a line that is not indented like its neighbours, a bracket or quote that is "
     "never closed, a \": \" inside a text without quotes. Only the first such error is shown, because what follows "
     "cannot be read."},
    {"E005", "a key that is there twice",
     "YAML leaves open which of two equal keys counts, so neither does. Keep one:\n\n"
     "    kafka:\n      instances: 3\n      instances: 5    # error"},
    {"E006", "an alias that cannot be followed",
     "An alias (*name) stands for the value that an anchor (&name) marks further up. It may not stand inside that "
     "value, and a file may hold at most 1,000 of them."},
    {"E007", "YAML that stack files do not use",
     "Tags (!!int), merge keys (<<), directives (%YAML) and keys that are not plain texts are refused, because tools "
     "disagree about what they mean. Aliases of whole values are fine."},
    {"E008", "several documents in one file", "A stack file is one YAML document. Remove the \"---\" between them."},
    {"E009", "an empty file",
     "A stack file has at least a name and one framework:\n\n"
     "    name: hello\n    frameworks:\n      sleeper: { command: [sleep, \"1000\"] }"},
    {"E010", "a tab in the indentation", "YAML counts spaces and does not know how wide a tab is. Indent with spaces."},
    {"E011", "not a stack file",
     "The text looks like something else: XML, a file with merge conflicts, or a template of another tool that has not "
     "been rendered."},

    {"E012", "a Compose file",
     "Banyan runs programs, not images, so a Compose file is written anew rather than read. Side by side:\n\n"
     "    services:                          frameworks:\n"
     "      db:                                db:\n"
     "        image: postgres                    command: [postgres, -p, \"${ports.sql}\", -D, \"${volumes.data}\"]\n"
     "        environment: { A: b }              env: { A: b }\n"
     "        ports: [\"5432:5432\"]             ports: { sql: 5432 }      # or auto\n"
     "        volumes: [\"data:/var/lib/db\"]    volumes: { data: 10GiB }\n"
     "        healthcheck: { … }                 readiness: { tcp: sql }\n"
     "        restart: unless-stopped            restart: always\n"
     "      web:                                 endpoints: { sql: sql }\n"
     "        depends_on: [db]                 web: { command: [./web, \"${db.endpoints.sql}\"] }"},

    {"E101", "an unknown framework",
     "`depends_on`, a reference ${NAME.endpoints.…} or a profile names a framework that the stack does not declare."},
    {"E102", "an unknown endpoint",
     "A reference names an endpoint that the framework does not declare. Declare it where the servers are:\n\n"
     "    kafka:\n      ports: { broker: auto }\n      endpoints: { broker: broker }"},
    {"E103", "a framework that depends on itself", "It could never start. Remove the dependency."},
    {"E104", "a dependency cycle",
     "Every framework of the cycle waits for the next one, so none could ever start. The message shows a shortest "
     "cycle and where each of its edges is written; a reference ${kafka.endpoints.broker} is an edge as well. Remove "
     "one edge, for instance by letting the program look the address up when it needs it."},
    {"E105", "a dependency that is there twice", "Name each framework once; the long form holds all its conditions."},
    {"E106", "a condition that never holds",
     "A framework with `goal: completed` ends and never serves; any other serves and never completes. Wait for what it "
     "does:\n\n    depends_on: { migrate: { condition: completed } }"},
    {"E107", "a graph that is too large", "A stack may have 100,000 frameworks and a million dependencies."},

    {"E201", "an unknown field",
     "Unknown fields are errors, not ignored: a typo must not change what runs. Fields that begin with \"x-\" are "
     "yours and are skipped."},
    {"E202", "something is missing", "A field without which the rest makes no sense is not there, or has no value."},
    {"E203", "a value of the wrong kind",
     "A list where a text belongs, or a quoted \"3\" where a number belongs. Booleans are true and false only: yes, "
     "no, "
     "on and off are texts."},
    {"E204", "a name that cannot be one",
     "Stacks, frameworks, servers and endpoints become parts of host names: a-z, 0-9 and \"-\", at most 40 characters, "
     "beginning with a letter, not ending with \"-\". Variables, ports, volumes and profiles may have \"_\" as well."},
    {"E205", "a value out of its range", "The message names the range."},
    {"E206", "fields that exclude each other",
     "Two fields say different things about the same matter, such as `servers` beside `command`, `source` beside "
     "`content`, or a server's words beside `scheduler.command`, which decides itself what it runs. Keep one."},
    {"E207", "an unknown word", "The field takes one of a few words. The message lists them."},
    {"E208", "not supported yet",
     "The word belongs to the stack language as planned, but this version of Banyan cannot do it. It is refused and "
     "not "
     "skipped, because a stack without it would behave differently than you wrote."},
    {"E209", "two things in one place",
     "Two ports with one number and protocol, two volumes at one path, or two endpoints whose environment variables "
     "would have one "
     "name."},
    {"E210", "not a duration", "Durations have units: 500ms, 30s, 1m30s, 2h. A bare number could mean anything."},
    {"E211", "not a size", "Sizes are whole numbers with a unit: B, KiB, MiB, GiB or TiB (powers of 1024)."},
    {"E212", "a path that cannot be used",
     "Targets of files and paths of volumes lie inside the sandbox: relative, without \"..\". A host_path is "
     "absolute."},
    {"E213", "a URI that cannot be fetched",
     "A path, file:, http: and https: can. User names and passwords in URIs are refused: they would end up in logs. "
     "A sha256 has 64 hexadecimal digits."},
    {"E214", "a name no environment variable can have",
     "Letters, digits, \"_\", \".\" and \"-\", beginning with a letter or \"_\". Names that begin with BANYAN_, MESOS_ "
     "or LIBPROCESS_ are set by Banyan."},
    {"E215", "a reserved name",
     "The name has a meaning of its own: in ${…}, or as a part of the cluster. Choose another one."},
    {"E216", "an unknown port",
     "An endpoint or a probe names a port that the server does not declare under `ports`, or a probe names a udp "
     "port."},
    {"E217", "an unknown server", "An endpoint names a server that the framework does not declare under `servers`."},

    {"E301", "an unknown variable", "${vars.NAME}, or a profile, names a variable that is not declared under `vars`."},
    {"E302", "a variable without a value",
     "Nothing is ever filled in silently. Give the variable a default, set it in the profile, or pass --var "
     "NAME=VALUE."},
    {"E303", "a variable's value that does not fit", "The value is not of the declared type, or beyond min or max."},
    {"E304", "an unknown profile", "--profile names a profile that the stack does not declare under `profiles`."},
    {"E305", "--var for an unknown variable", "The stack does not declare the variable under `vars`."},
    {"E306", "a ${…} that means nothing",
     "Known are ${vars.x}, ${ports.p}, ${volumes.v}, ${instance.index|number|name|host}, ${peers.p}, "
     "${NODE.endpoints.e} (and .first, .host, .port, .url) and ${join peers SEP TEXT}. Write $$ for a dollar, so "
     "$${HOME} "
     "reaches the program as ${HOME}."},
    {"E307", "a port or volume the server does not have",
     "A template names a port or volume that its server does not declare. The place is that in the template's own "
     "file."},
    {"E308", "a ${…} that cannot be known here",
     "Numbers, sizes and paths are read before anything runs, so only ${vars.x} works in them. A scheduler has no "
     "instance: it may use variables and the endpoints of other frameworks."},

    {"E309", "a variable made of others",
     "What a variable holds is never read as a template. Put variables together where they are used:\n\n"
     "    vars: { host: db1, port: 5432 }\n    …  command: [app, \"${vars.host}:${vars.port}\"]"},

    {"E401", "a file that cannot be read",
     "Paths under `files`, and under `uris` those that do not begin with \"/\" or file:, are relative to the folder of "
     "the stack file and read when it is loaded."},
    {"E402", "a file that is no template",
     "Files named under `files` are texts of at most 1 MiB, rendered at each launch. Name programs, archives and data "
     "under `uris`: they are fetched as they are."},
    {"E403", "a file with another sha256",
     "The file under `uris` is not the one whose sha256 is written beside it. Look which of the two is right."},

    {"E501", "a port that no agent offers",
     "A fixed port is reserved on its agent, so that no second server gets it; what no agent offers cannot be. "
     "Banyan's "
     "own agent offers 1024 to 65535, less the kernel's range for outgoing connections "
     "(/proc/sys/net/ipv4/ip_local_port_range) and its own ports. `--resources 'ports:[…]'` makes an agent offer "
     "others."},

    {"W501", "an edge that nothing refers to",
     "`depends_on` names a framework with endpoints, and no text of this one names any of them. If an address is "
     "written down by hand, refer to the endpoint instead: it is filled in, and an edge of its own. If only the order "
     "matters, all is well. A server that runs keeps the address of its launch; `status` marks one that has changed "
     "since, and `banyan restart NODE` brings it to the present one. A text that names a BANYAN_ENDPOINT_… variable "
     "counts as a reference."},
    {"W502", "one fixed port twice",
     "A fixed port belongs to a whole host, so two servers that want the same one cannot run on one host. With a "
     "single host the second will wait for ever. `auto` is chosen once and then kept."},
    {"W503", "a fixed port of several instances",
     "Each instance takes the port on its host, so there must be as many hosts as instances."},
    {"W504", "others wait for what nobody asks",
     "Without `readiness` a server counts as serving as soon as it runs, so those that depend on it may come before "
     "it accepts connections."},
    {"W505", "a name that a shell may drop",
     "With `command: \"text\"` a shell starts the program. Some shells drop variables whose names they cannot write, "
     "such as discovery.type. `command: [program, argument]` is run without a shell."},
};

}  // namespace

const Explanation* explain(std::string_view code) {
  const auto* found = std::ranges::find(explanations, code, &Explanation::code);
  return found == std::end(explanations) ? nullptr : found;
}

std::vector<Explanation> all_explanations() { return {std::begin(explanations), std::end(explanations)}; }

}  // namespace banyan::specs
