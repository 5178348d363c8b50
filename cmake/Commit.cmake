# cmake -D SOURCE=… -D OUTPUT=… -P Commit.cmake: writes the commit of the checkout into a header, at every build, and
# touches the file only when it changes, so that one small source and the link of the program follow a commit.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR commit STREQUAL "")
  set(commit "unknown")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT
"// Written by cmake/Commit.cmake.
#pragma once
namespace solion::cli {
inline constexpr const char* commit = \"@commit@\";
}
" @ONLY)
