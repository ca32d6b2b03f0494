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
option(BANYAN_PRECOMPILE "precompile the headers that most files share" ON)
option(BANYAN_UNITY "compile the product's files by eights: a third less for whoever builds everything once" ON)
option(BANYAN_FUZZ "build the fuzz targets (clang)" OFF)
set(BANYAN_SANITIZE "" CACHE STRING "address,undefined | thread")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
find_program(MOLD ld.mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)  # a child loads the libraries it uses, not all that a layer below it links
if(BANYAN_SANITIZE MATCHES thread)
  add_compile_options(-Wno-tsan)  # gcc: fences that TSan does not model, all within Asio
endif()
if(BANYAN_SANITIZE)
  add_compile_options(-fsanitize=${BANYAN_SANITIZE} -fno-omit-frame-pointer -O1)
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
target_compile_options(banyan_flags INTERFACE -pthread -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
  $<$<BOOL:${BANYAN_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-error=restrict -Wno-error=array-bounds>)  # gcc 105329: false alarms on "x" + std::to_string(i)
target_include_directories(banyan_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_link_libraries(banyan_flags INTERFACE tl::expected)

# Three quarters of a unit's time went into reading the same headers. Two precompiled sets, since the cores must not
# see messages: the standard library, and the generated messages on top. Each file still includes what it uses; the
# preset `clang` builds without them and would notice.
set(precompiled_standard <algorithm> <chrono> <cstdint> <deque> <functional> <map> <memory> <optional> <set> <string>
    <string_view> <utility> <variant> <vector> <tl/expected.hpp>)
set(precompiled_messages <mesos/v1/scheduler/scheduler.pb.h> <mesos/v1/executor/executor.pb.h>)

# banyan_precompiled(NAME headers… LINK targets…) — a set of headers that others REUSE_FROM.
function(banyan_precompiled name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  if(NOT BANYAN_PRECOMPILE)
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc CONTENT "// holds the precompiled headers\n")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE banyan_flags ${ARG_LINK})
  target_precompile_headers(${name} PRIVATE ${ARG_UNPARSED_ARGUMENTS})
endfunction()

# banyan_use_precompiled(TARGET) — the set that fits what the target links.
function(banyan_use_precompiled name)
  if(NOT BANYAN_PRECOMPILE)
    return()
  endif()
  get_target_property(libraries ${name} LINK_LIBRARIES)
  banyan_reaches_messages(reaches ${libraries})
  if(reaches)
    target_precompile_headers(${name} REUSE_FROM banyan_messages_precompiled)
  else()
    target_precompile_headers(${name} REUSE_FROM banyan_standard_precompiled)
  endif()
endfunction()

# banyan_reaches_messages(RESULT targets…) — whether banyan_api is among them or below one of them.
function(banyan_reaches_messages result)
  set(${result} FALSE PARENT_SCOPE)
  foreach(library IN LISTS ARGN)
    if(library STREQUAL banyan_api)
      set(${result} TRUE PARENT_SCOPE)
      return()
    endif()
    if(library MATCHES "^banyan_" AND TARGET ${library})
      get_target_property(below ${library} INTERFACE_LINK_LIBRARIES)
      if(below)
        banyan_reaches_messages(found ${below})
        if(found)
          set(${result} TRUE PARENT_SCOPE)
          return()
        endif()
      endif()
    endif()
  endforeach()
endfunction()

banyan_precompiled(banyan_standard_precompiled ${precompiled_standard})

# Two ways to link protobuf: shared for the daemons; static for the small programs that start per task.
add_library(banyan_protobuf INTERFACE)
target_link_libraries(banyan_protobuf INTERFACE protobuf::libprotobuf)
find_library(PROTOBUF_ARCHIVE NAMES libprotobuf.a REQUIRED)
add_library(banyan_protobuf_static INTERFACE)
target_link_libraries(banyan_protobuf_static INTERFACE ${PROTOBUF_ARCHIVE} Threads::Threads)
target_link_options(banyan_protobuf_static INTERFACE -static-libstdc++ -static-libgcc)

# banyan_by_eights(TARGET) — with BANYAN_UNITY, eight files a compiler run: the headers are read once, a third of the time
# in all. Where files of one folder give a short name to different things (`using …::Call`), those of one kind go together.
set(several_kinds banyan_codec banyan_sdk banyan_sdk_core)
function(banyan_by_eights name)
  if(NOT BANYAN_UNITY)
    return()
  endif()
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON)
  foreach(file draw.cc load.cc server.cc world.cc)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/${file} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
  if(NOT name IN_LIST several_kinds)
    return()
  endif()
  set_target_properties(${name} PROPERTIES UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${name} SOURCES)
  foreach(source IN LISTS sources)
    get_filename_component(file ${source} NAME)
    set(kind state)
    if(file MATCHES "^(agent|executor)")
      set(kind executors)
    elseif(file MATCHES "^(scheduler|master_(calls|descriptions|events))")
      set(kind schedulers)
    endif()
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${kind})
  endforeach()
endfunction()

# banyan_layer(NAME target...) — a static library of this folder's *.cc, linking the targets it may use.
# tests/tidy checks the same arrows on the #includes.
function(banyan_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC banyan_flags ${ARGN})
  banyan_by_eights(${name})
  banyan_use_precompiled(${name})
endfunction()

# banyan_program(NAME target...) — an executable of this folder's *.cc, into build/…/bin.
function(banyan_program name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE banyan_flags ${ARGN})
  if(ARGN)  # the shim links nothing of ours, and is compiled its own way
    banyan_by_eights(${name})
    banyan_use_precompiled(${name})
  endif()
endfunction()
