// Linked into every test of a sanitizer build. Debian's gRPC and protobuf are not instrumented: without this,
// ThreadSanitizer reports some 850 races that are none. A race inside a gRPC callback is then not seen either, which is
// why reactors only enqueue.
extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libgrpc.so\n"
         "called_from_lib:libgrpc++.so\n"
         "called_from_lib:libgpr.so\n"
         "called_from_lib:libprotobuf.so\n"
         "race:grpc::\n"
         "race:google::protobuf\n";
}
