# Compilers, flags and libraries, and the one function every folder uses to declare itself.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

option(BUILD_TESTING "build the tests" ON)
option(BANYAN_WERROR "warnings are errors" ON)
option(BANYAN_FUZZ "build the fuzz targets (clang)" OFF)
set(BANYAN_SANITIZE "" CACHE STRING "address,undefined | thread")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()
find_program(MOLD ld.mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
if(BANYAN_SANITIZE MATCHES thread)
  add_compile_options(-Wno-tsan)  # gcc: fences that TSan does not model, all within Asio
endif()
if(BANYAN_SANITIZE)
  add_compile_options(-fsanitize=${BANYAN_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BANYAN_SANITIZE})
endif()

if(BANYAN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage, which guides the fuzzer
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Protobuf 3.21 REQUIRED)  # module mode: Debian ships no protobuf-config.cmake
find_package(gRPC 1.51 CONFIG REQUIRED)
find_package(yaml-cpp 0.7 CONFIG REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(LibArchive REQUIRED)
find_package(tl-expected REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)

# Warnings for our own code; generated code is exempt.
add_library(banyan_flags INTERFACE)
target_compile_options(banyan_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
  $<$<BOOL:${BANYAN_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-error=restrict>)  # gcc 105329: false alarm on "x" + std::to_string(i)
target_include_directories(banyan_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_link_libraries(banyan_flags INTERFACE tl::expected)

# Two ways to link protobuf: shared for the daemons; static for the small programs that start per task.
add_library(banyan_protobuf INTERFACE)
target_link_libraries(banyan_protobuf INTERFACE protobuf::libprotobuf)
find_library(PROTOBUF_ARCHIVE NAMES libprotobuf.a REQUIRED)
add_library(banyan_protobuf_static INTERFACE)
target_link_libraries(banyan_protobuf_static INTERFACE ${PROTOBUF_ARCHIVE} Threads::Threads)
target_link_options(banyan_protobuf_static INTERFACE -static-libstdc++ -static-libgcc)

# banyan_layer(NAME target...) — a static library of this folder's *.cc, linking the targets it may use.
# tests/tidy checks the same arrows on the #includes.
function(banyan_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC banyan_flags ${ARGN})
endfunction()

# banyan_program(NAME target...) — an executable of this folder's *.cc, into build/…/bin.
function(banyan_program name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE banyan_flags ${ARGN})
endfunction()
