# Language level, warnings, sanitizers and instruction set, carried by the target solion_compiler.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# The rooms also become part of shared objects (the Python module). Hidden symbols keep two such objects in one
# process apart, and calls inside the library as short as without -fPIC.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(solion_compiler INTERFACE)
target_compile_options(solion_compiler INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of GCC 12 inside Eigen, its own AVX-512 header (bug 105593) and libstdc++ templates at -O2.
  target_compile_options(solion_compiler INTERFACE
    -Wno-maybe-uninitialized -Wno-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
endif()
if(SOLION_NATIVE AND NOT SOLION_SANITIZE)
  target_compile_options(solion_compiler INTERFACE -march=native)
endif()
# No code here reads errno of a maths function or floating-point exception flags.
target_compile_options(solion_compiler INTERFACE -fno-math-errno -fno-trapping-math)
if(SOLION_SANITIZE)
  target_compile_options(solion_compiler INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(solion_compiler INTERFACE -fsanitize=address,undefined)
endif()
if(SOLION_FUZZ)  # the rooms too are watched for coverage, which is what guides the fuzzer
  target_compile_options(solion_compiler INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SOLION_TIDY)
  find_program(CLANG_TIDY clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY ${CLANG_TIDY} --quiet --extra-arg=-Wno-unknown-warning-option)
endif()
