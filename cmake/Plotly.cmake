# Puts plotly.js, made smaller by esbuild, beside the program for the reports.
find_file(PLOTLY_JS plotly.js PATHS /usr/share/python3-plotly NO_DEFAULT_PATH)
find_program(ESBUILD esbuild)
if(PLOTLY_JS AND ESBUILD)
  file(STRINGS ${PLOTLY_JS} plotly_version LIMIT_INPUT 400 REGEX "plotly\\.js v[0-9.]+")
  string(REGEX REPLACE ".*(plotly\\.js v[0-9.]+).*" "\\1" plotly_version "${plotly_version}")
  set(plotly_min ${CMAKE_BINARY_DIR}/share/solion/plotly.min.js)
  add_custom_command(OUTPUT ${plotly_min}
    COMMAND ${ESBUILD} ${PLOTLY_JS} --minify --log-level=error --outfile=${plotly_min}
      "--banner:js=/* ${plotly_version}, Plotly, Inc., MIT licence */"
    DEPENDS ${PLOTLY_JS} VERBATIM)
  add_custom_target(plotly ALL DEPENDS ${plotly_min})
  install(FILES ${plotly_min} DESTINATION share/solion COMPONENT program)
else()
  message(STATUS "plotly.js or esbuild is missing: reports use plotly.js as it is found at run time")
endif()
