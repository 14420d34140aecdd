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

# add_room_test(ROOM [NAME name] SOURCES file... [LIBS library...]): the Check program test_NAME, known to CTest as NAME,
# which is the room's unless there is one.
function(add_room_test room)
  cmake_parse_arguments(TEST "" "NAME" "SOURCES;LIBS" ${ARGN})
  if(NOT TEST_NAME)
    set(TEST_NAME ${room})
  endif()
  add_executable(test_${TEST_NAME} ${TEST_SOURCES})
  target_link_libraries(test_${TEST_NAME} PRIVATE room_${room} ${TEST_LIBS} PkgConfig::CHECK)
  target_compile_definitions(test_${TEST_NAME} PRIVATE TEST_DATA="${CMAKE_CURRENT_SOURCE_DIR}")
  add_test(NAME ${TEST_NAME} COMMAND test_${TEST_NAME})
  set_tests_properties(${TEST_NAME} PROPERTIES TIMEOUT 600)
endfunction()

# add_fuzzer(NAME ROOM room SOURCES file...): the libFuzzer target fuzz_NAME; its seeds lie in tests/fuzz/corpus/NAME.
function(add_fuzzer name)
  cmake_parse_arguments(FUZZ "" "ROOM" "SOURCES;LIBS" ${ARGN})
  add_executable(fuzz_${name} ${FUZZ_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE room_${FUZZ_ROOM} ${FUZZ_LIBS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
