# solion_room(<name> DEPENDS <rooms and libraries>): one folder of src/solion as one library.
# solion_kernels(<files>): those of them that are compiled for every instruction set.
# solion_test(<room>): all tests/<room>/*_test.cpp as one GoogleTest program.
function(solion_room name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(sources)
    add_library(solion_${name} STATIC ${sources})
    target_include_directories(solion_${name} PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:include>)
    target_link_libraries(solion_${name} PUBLIC $<BUILD_INTERFACE:solion_compiler> ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
    solion_precompiled(solion_${name})
  else()
    add_library(solion_${name} INTERFACE)
    target_include_directories(solion_${name} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:include>)
    target_link_libraries(solion_${name} INTERFACE $<BUILD_INTERFACE:solion_compiler> ${ARG_DEPENDS} ${ARG_PRIVATE})
  endif()
  set_target_properties(solion_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS solion_${name} EXPORT solionTargets ARCHIVE DESTINATION lib COMPONENT dev)
endfunction()

# solion_kernels(<file>…): files compiled for every instruction set, whatever the rest is compiled for, so that each build
# has all of them to choose from and to test. They use none of Eigen's types, whose layout depends on it.
function(solion_kernels)
  if(SOLION_NATIVE AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -march=x86-64 SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

function(solion_test room)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${room} ${sources})
  target_link_libraries(test_${room} PRIVATE ${ARGN} GTest::gmock_main)
  target_include_directories(test_${room} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  solion_precompiled(test_${room} GLUE LINK GTest::gmock_main <gtest/gtest.h> <gmock/gmock.h>)
  target_compile_definitions(test_${room} PRIVATE
    SOLION_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SOLION_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
  gtest_discover_tests(test_${room} TEST_PREFIX "${room}." DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600)
endfunction()
