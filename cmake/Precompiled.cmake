# solion_precompiled(<target> [GLUE] [LINK library] [HEADERS…]): the outside headers that most files read, and these
# of the library, compiled once for all targets that ask for the same ones. GLUE: calls of the library without loops of its own, for which half of the
# optimiser's time is saved. No precompiled headers where ccache keeps results: it shares those between checkouts,
# and such a build finds an include that a file forgot.
option(SOLION_PRECOMPILED "Compile the outside headers once" ON)
if(CMAKE_CXX_COMPILER_LAUNCHER OR SOLION_TIDY OR SOLION_FUZZ)
  set(SOLION_PRECOMPILED OFF)
endif()

function(solion_precompiled target)
  cmake_parse_arguments(ARG "GLUE" "LINK" "" ${ARGN})
  set(glue_options $<$<AND:$<BOOL:${ARG_GLUE}>,$<CONFIG:Release>>:-O1>)
  target_compile_options(${target} PRIVATE ${glue_options})
  if(NOT SOLION_PRECOMPILED)
    return()
  endif()
  string(MAKE_C_IDENTIFIER "precompiled_${ARGN}" carrier)
  if(NOT TARGET ${carrier})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${carrier}.cpp CONTENT "")
    add_library(${carrier} OBJECT ${CMAKE_BINARY_DIR}/${carrier}.cpp)
    target_link_libraries(${carrier} PRIVATE solion_compiler Eigen3::Eigen fmt::fmt spdlog::spdlog
      nlohmann_json::nlohmann_json PkgConfig::TOMLPLUSPLUS Threads::Threads ${ARG_LINK})
    target_compile_options(${carrier} PRIVATE ${glue_options})
    if(ARG_GLUE)  # for executables
      set_target_properties(${carrier} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${carrier} PRIVATE -fPIE)
    endif()
    target_precompile_headers(${carrier} PRIVATE
      <algorithm> <array> <chrono> <cmath> <filesystem> <functional> <map> <memory> <numeric> <optional> <set> <span>
      <sstream> <string> <vector> <fmt/format.h> <Eigen/Dense> ${ARG_UNPARSED_ARGUMENTS})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${carrier})
endfunction()
