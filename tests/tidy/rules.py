"""What tests/tidy/check holds: the arrows between the layers, the purity of the cores, the size of functions."""

# The arrows. A file obeys the longest prefix that fits it; it may include its own folder and what is listed. A name
# ending in "/" allows everything below it. `messages` are the generated headers (mesos/v1/…, banyan/…).
MESSAGES = ("mesos/v1/", "banyan/")
ARROWS = {
    "runtime/base": (),
    "specs": ("runtime/base/",),
    "runtime/ports": ("runtime/base/",),
    "runtime/core": ("runtime/base/", "runtime/core/"),
    "runtime/driver": ("runtime/base/", "runtime/ports/"),
    "runtime/adapters": ("runtime/base/", "runtime/ports/", "runtime/adapters/", *MESSAGES),
    "runtime/adapters/loop": ("runtime/base/",),
    "runtime/adapters/http": ("runtime/base/", "runtime/adapters/loop/"),
    "runtime/adapters/sqlite": ("runtime/base/", "runtime/ports/", "runtime/adapters/loop/"),
    # The codec turns messages into a core's inputs and its effects into messages: it knows both.
    "runtime/adapters/codec": ("runtime/base/", "runtime/core/", "runtime/adapters/", *MESSAGES),
    "runtime/sdk/core": ("runtime/base/", *MESSAGES),
    "runtime/sdk": ("runtime/base/", "runtime/ports/", "runtime/driver/", "runtime/adapters/loop/",
                    "runtime/adapters/http/", "runtime/adapters/sqlite/", "runtime/sdk/", *MESSAGES),
    "runtime/sdk/artifacts": ("runtime/base/", "runtime/adapters/http/", "runtime/adapters/posix/", "runtime/sdk/"),
    "runtime/bin": ("runtime/", *MESSAGES),
    "executors/command": ("runtime/base/", "runtime/adapters/posix/"),
    "executors/framework/core": ("runtime/base/", "specs/", *MESSAGES),
    "executors": ("runtime/base/", "runtime/ports/", "runtime/driver/", "runtime/adapters/", "runtime/sdk/", "specs/",
                  "executors/", *MESSAGES),
    "orchestrator/core": ("runtime/base/", "runtime/driver/", "specs/", *MESSAGES),
    "orchestrator/frameworks": ("runtime/base/", "runtime/driver/", "specs/", *MESSAGES),
    "orchestrator/frameworks/service/probes": ("runtime/base/", "runtime/adapters/loop/", "runtime/adapters/http/",
                                               "specs/", "orchestrator/frameworks/service/"),
    "orchestrator": ("runtime/base/", "runtime/ports/", "runtime/driver/", "runtime/adapters/", "runtime/sdk/",
                     "specs/", "orchestrator/", *MESSAGES),
    "examples": ("runtime/base/", "runtime/sdk/", "runtime/adapters/loop/", "runtime/adapters/http/", *MESSAGES),
    "tests": ("",),
}
ARROWS_INSTEAD = {
    "runtime/core/": "only runtime/ may know a core; everyone else speaks to the daemons through runtime/sdk",
    "runtime/adapters/": "a core knows words only: return an effect, and let the program around it do the deed",
    "mesos/v1/": "a core decides on its own structs and carries the rest as bytes; runtime/adapters/codec translates",
    "banyan/": "a core decides on its own structs and carries the rest as bytes; runtime/adapters/codec translates",
    "orchestrator/": "the arrow points the other way: orchestrator/ uses runtime/, never the reverse",
    "specs/": "hand over what is needed as values",
}

# gRPC and Asio stay where they are: the rest links without them and compiles in seconds.
LIBRARIES = {
    r"grpcpp/|grpc/": ("runtime/adapters/grpc", "orchestrator/api", "orchestrator/cli", "orchestrator/bin", "tests"),
    r"boost/asio": ("runtime/adapters/loop", "runtime/adapters/http", "orchestrator/frameworks/service/probes", "tests"),
    r"boost/beast": ("runtime/adapters/http", "tests"),
    r"sqlite3": ("runtime/adapters/sqlite", "tests"),
    r"yaml-cpp": ("specs", "tests"),
    r"spdlog": ("runtime/adapters", "runtime/bin", "runtime/sdk", "executors", "orchestrator/api", "orchestrator/bin",
                "orchestrator/cli", "examples", "tests"),
}

# Cores: no clock, thread, socket, file, log, environment or randomness (DESIGN.md).
PURE = ("runtime/base", "runtime/core", "runtime/driver", "runtime/ports", "runtime/sdk/core", "specs",
        "executors/framework/core", "orchestrator/core", "orchestrator/frameworks")
PURE_EXCEPT = {
    "orchestrator/frameworks/service/probes": "the probes are this framework's adapters: they speak the servers' protocols",
    "runtime/base/check.h": "the last words before abort()",
}
IMPURE_INCLUDES = {
    r"thread|mutex|shared_mutex|condition_variable|future|atomic|stop_token|semaphore|latch|barrier":
        "a core has one thread: take what happened as an input",
    r"fstream|iostream|filesystem": "return an effect: files and terminals belong to adapters",
    r"random": "banyan::Rng, seeded by the constructor: the same numbers on every machine",
    r"ctime|time\.h|sys/time\.h": "the Now that comes with every input",
    # <signal.h> and <sys/wait.h> hold names and the reading of a wait status; their calls are caught below.
    r"sys/(?!wait\.h).*|unistd\.h|fcntl\.h|netinet/.*|arpa/.*|netdb\.h|poll\.h|spawn\.h":
        "return an effect: the operating system belongs to adapters",
    r"unordered_map|unordered_set": "std::map, std::set: the same order on every machine and in every run",
}
IMPURE_WORDS = {
    r"\b(system_clock|steady_clock|high_resolution_clock|utc_clock)\b": "the Now that comes with every input",
    r"\b(mono_now|wall_now|clock_now|clock_gettime|gettimeofday)\s*\(": "the Now that comes with every input",
    r"\b(secure_)?getenv\s*\(": "a parameter: the environment is read in bin",
    r"\b(std::)?(rand|srand|random)\s*\(": "banyan::Rng, seeded by the constructor",
    r"\b(random_device|mt19937|default_random_engine|uniform_int_distribution|shuffle)\b": "banyan::Rng",
    r"\bstd::(cout|cerr|clog)\b|\b(std::)?(printf|fprintf|puts|fopen|perror)\s*\(": "return an effect: files and terminals belong to adapters",
    r"(?<![\w>])::kill\s*\(|\b(waitpid|waitid|sigaction|raise)\s*\(": "return an effect: processes belong to adapters",
    r"\bstd::(thread|jthread|async|mutex)\b": "a core has one thread: take what happened as an input",
    r"\bstd::unordered_(map|set|multimap|multiset)\b": "std::map, std::set: the same order in every run",
    r"\bthread_local\b": "a member: two cores in one simulator must not meet",
    r"\bthis_thread\b": "an Instant and next_deadline(): nothing waits inside a core",
}

# Everywhere.
BAD_WORDS = {
    r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b": "do it, or say in plain words what is not done and why",
    r"\b(sprintf|vsprintf|strcpy|strcat|gets|strtok|mktemp|tmpnam)\s*\(": "a bounded or re-entrant way of doing it",
    r"\busing\s+namespace\s+std\s*;": "std:: before each name",
    r"\bassert\s*\(": "BANYAN_CHECK, which is on in every build",
    r"\bsleep_for\s*\(|\busleep\s*\(|\bnanosleep\s*\(": "the event itself: a descriptor, a deadline, a condition",
}
# What is said nevertheless: (file, word) and why. A row that is no longer needed is an error.
ALLOWED = {
    ("runtime/adapters/posix/cgroups.cc", "usleep"):
        "a cgroup can be removed a moment after its last process; the kernel tells no one",
    ("runtime/adapters/posix/containers.cc", "usleep"):
        "at recovery only: a shim between its start and its first record has nothing yet to be watched by",
}
# What there is once, so that one answer holds everywhere: the homes, how a second one looks, what to use instead.
# Read over the code with its literals (comments are taken out), across lines. Tests are free to try.
ONCE = (
    (("runtime/adapters/loop", "runtime/adapters/http"),
     r"\bTimerId\b|\btimerfd_create\b|\b(steady|system|high_resolution|deadline)_timer\b"
     r"|=\s*\w*loop\w*(\(\))?(\.|->)(at|after)\s*\(|\bloop\w*(\(\))?(\.|->)(at|after)\s*\(.{0,200}?\bTick\b",
     "keeps a wake-up timer", "Alarm (runtime/adapters/loop/alarm.h)"),
    (("runtime/base/backoff.h",),
     r"\*=\s*2(\.0)?\b|<<=\s*1\b|\b(\w+)\s*=\s*(\2\s*\*\s*2|2\s*\*\s*\2)\b|(?<![>.\w])(\w+)\s*\+=\s*\4\s*;"
     r"|\bmin\s*(<[^>]*>)?\s*\([^;]*?(\b2\s*\*|\*\s*2\b|\*\s*\(?[\w:]*\{?\(?1u?l*\)?\}?\s*<<)",
     "doubles a wait", "Backoff (runtime/base/backoff.h)"),
    (("runtime/base/quantity.h",),
     r'"(secs|mins|hrs)"|(==|\{)\s*"ms"|"ms"\s*(==|,)|\bAsNumberWithUnit\b|\bparse_duration_\w+\s*\(',
     "reads durations", "parse_duration (runtime/base/quantity.h)"),
    (("runtime/adapters/posix/digest.cc",), r"\bEVP_MD_CTX_new\b|\bSHA256_\w+\s*\(",
     "makes digests", "sha256_of (runtime/adapters/posix/digest.h)"),
    (("runtime/adapters/loop/seed.h",), r"\brandom_device\b",
     "draws a seed", "random_seed (runtime/adapters/loop/seed.h)"),
    (("runtime/adapters/posix/socket_folder.cc",), r"\bmkdtemp\s*\(",
     "makes a folder for sockets", "make_socket_folder (runtime/adapters/posix/socket_folder.h)"),
)
LINE_COLUMNS_MAX = 120
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
