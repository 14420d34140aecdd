# add_room(NAME SOURCES file... [USES room...] [LIBS library...]): the static library room_NAME of one folder.
function(add_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LIBS" ${ARGN})
  add_library(room_${name} STATIC ${ROOM_SOURCES})
  list(TRANSFORM ROOM_USES PREPEND room_)
  target_link_libraries(room_${name} PUBLIC ${ROOM_USES} ${ROOM_LIBS})
endfunction()

# add_room_program(NAME ROOM room SOURCES file...): a thin main over its room.
function(add_room_program name)
  cmake_parse_arguments(PROGRAM "" "ROOM" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  target_link_libraries(${name} PRIVATE room_${PROGRAM_ROOM} ${PROGRAM_LIBS})
endfunction()

# add_room_test(ROOM SOURCES file... [LIBS library...]): the Check program test_ROOM, known to CTest as ROOM.
function(add_room_test room)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(test_${room} ${TEST_SOURCES})
  target_link_libraries(test_${room} PRIVATE room_${room} ${TEST_LIBS} PkgConfig::CHECK)
  target_compile_definitions(test_${room} PRIVATE TEST_DATA="${CMAKE_CURRENT_SOURCE_DIR}")
  add_test(NAME ${room} COMMAND test_${room})
  set_tests_properties(${room} PROPERTIES TIMEOUT 300)
endfunction()

# add_fuzzer(NAME ROOM room SOURCES file...): the libFuzzer target fuzz_NAME; its seeds lie in tests/fuzz/corpus/NAME.
function(add_fuzzer name)
  cmake_parse_arguments(FUZZ "" "ROOM" "SOURCES;LIBS" ${ARGN})
  add_executable(fuzz_${name} ${FUZZ_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE room_${FUZZ_ROOM} ${FUZZ_LIBS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
